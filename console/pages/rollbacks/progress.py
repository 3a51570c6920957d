"""How many agents of a rollback are back: read in one way for every page that says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Aggregate, Count, DateTimeField, F, Max, Q
from django.utils.safestring import SafeString

from console.pages.drawing.charts import BarPart, stacked_bar
from rollouts.as_of import back_as_of
from rollouts.engine.states import RollbackTargetState
from rollouts.models import Rollback, RollbackTarget


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a rollback stands, in agents; the parts add up to `total`. `offered` are online and have
    not answered yet, `waiting` are online and have their turn later, `skipped` are let go. `half_at`
    is when half of the confirmed ones had said so, `last_at` when the newest did."""

    rollback: Rollback
    total: int
    confirmed: int
    offered: int
    failed: int
    offline: int
    no_version: int
    waiting: int
    skipped: int
    half_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def online(self) -> int:
        """Agents that can come back now."""
        return self.total - self.offline - self.no_version

    @property
    def took_s(self) -> float | None:
        """Seconds from the decision until the last online agent was back; None before that."""
        if self.last_at is None or self.confirmed < self.online:
            return None
        return (self.last_at - self.rollback.decided_at).total_seconds()

    @property
    def bar(self) -> SafeString:
        """The numbers as one bar."""
        parts = [
            BarPart("returned", self.confirmed),
            BarPart("coming_back", self.offered),
            BarPart("failed", self.failed),
            BarPart("offline", self.offline),
            BarPart("queued", self.waiting),
        ]
        return stacked_bar(parts, self.total, f"{self.confirmed} / {self.total}", css="thick")


class _Middle(Aggregate):
    """The value in the middle of a group, one of its own."""

    function = "percentile_disc"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DateTimeField()


def progress_of(rollback: Rollback, at: datetime | None = None) -> Progress:
    """Count, as it is or as it was at a time; one query."""
    state = RollbackTargetState
    own = RollbackTarget.objects.filter(rollback=rollback).annotate(then=F("state"))
    rows = own if at is None else back_as_of(rollback, at)
    is_open = Q(then__in=[state.WAITING, state.OFFERED])
    numbers = rows.aggregate(
        total=Count("pk"),
        confirmed=Count("pk", filter=Q(then=state.CONFIRMED)),
        failed=Count("pk", filter=Q(then__in=[state.FAILED, state.TIMED_OUT])),
        no_version=Count("pk", filter=Q(then=state.NO_VERSION)),
        offline=Count("pk", filter=is_open & Q(online=False)),
        offered=Count("pk", filter=Q(online=True, then=state.OFFERED)),
        waiting=Count("pk", filter=Q(online=True, then=state.WAITING)),
        skipped=Count("pk", filter=Q(then=state.SKIPPED)),
        half_at=_Middle(F("confirmed_at"), filter=Q(then=state.CONFIRMED)),
        last_at=Max("confirmed_at", filter=Q(then=state.CONFIRMED)),
    )
    return Progress(rollback=rollback, **numbers)
