"""The list of rollouts: what became of each and why, filters, and the last 30 days in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
)
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from accounts.models import User
from console.lib.texts import said
from console.pages.frame import keyset
from console.pages.frame.forms import LineField, OneOf, PageForm, whole
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import rows as rollout_rows
from console.words import ways_back
from console.words.actors import who
from rollouts.engine.states import ACTIVE_STATES, FINAL_STATES, RolloutState
from rollouts.models import Config, Event, Rollback, Rollout

FILTERS = {
    "active": ACTIVE_STATES,
    "drafts": frozenset({RolloutState.DRAFT, RolloutState.SCHEDULED}),
    "finished": FINAL_STATES,
}
CAME_BACK = (RolloutState.ROLLING_BACK, RolloutState.ROLLED_BACK, RolloutState.ROLLBACK_INCOMPLETE)
OUTCOMES = {
    "passed": (gettext_lazy("passed"), Q(state=RolloutState.SUCCEEDED)),
    "failed": (
        gettext_lazy("came back by itself"),
        Q(state__in=CAME_BACK, rollback__kind=Rollback.Kind.AUTOMATIC),
    ),
    "called_back": (
        gettext_lazy("called back by a person"),
        Q(state__in=CAME_BACK, rollback__kind=Rollback.Kind.MANUAL),
    ),
    "aborted": (gettext_lazy("aborted by a person"), Q(state=RolloutState.ABORTED)),
}
LATELY = timedelta(days=30)
PEOPLE = 100


class ListFilter(PageForm):
    """What the list is narrowed to; a filter that nobody knows is none."""

    state = OneOf(FILTERS)
    config = LineField()
    by = LineField()
    outcome = OneOf(OUTCOMES)
    q = LineField(cut=120)


@dataclass(frozen=True, slots=True)
class ListedRollout:
    """One rollout in the list. `because` says why it ended and who ended it, "" where it just passed."""

    row: rollout_rows.RolloutRow
    because: str
    took_s: float | None


@dataclass(frozen=True, slots=True)
class Lately:
    """What became of the rollouts that ended in the last 30 days."""

    passed: int
    came_back: int
    aborted: int
    median: timedelta | None


class _Median(Aggregate):
    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@require_GET
@needs("rollouts.view")
def rollout_list(request: HtmxRequest) -> HttpResponse:
    """List rollouts, newest first."""
    asked = ListFilter(request.GET).known()
    visible = Rollout.objects.visible_to(request.actor)
    found = narrowed(visible.for_detail(), asked)
    page = keyset.newest_first(found, request.GET, is_counted=True)
    is_part = request.htmx.target == "rollout-rows"
    context = {
        "rows": listed(page.rows),
        "page": page,
        "asked": asked,
        "chosen": asked["state"],
        "config": asked["config"],
        "is_narrowed": any(asked.values()),
        "topics": ["rollouts"],
        "follows": ["rollouts-changed"],
    }
    if not is_part:
        context |= {
            "lately": lately(visible, timezone.now()),
            "configs": Config.objects.order_by("name").values_list("name", flat=True),
            "people": people(),
            "outcomes": [(name, label) for name, (label, _q) in OUTCOMES.items()],
        }
    return render(request, f"rollouts/{'_rows' if is_part else 'list'}.html", context)


def narrowed(found: QuerySet[Rollout], asked: Mapping[str, Any]) -> QuerySet[Rollout]:
    """Keep the rollouts that fit every filter."""
    if asked["state"]:
        found = found.filter(state__in=FILTERS[asked["state"]])
    if asked["config"]:
        found = found.filter(config__name=asked["config"])
    if asked["by"]:
        starter = Q(started_by__username=asked["by"])
        drafter = Q(started_by=None, created_by__username=asked["by"])
        found = found.filter(starter | drafter)
    if asked["outcome"]:
        found = found.filter(OUTCOMES[asked["outcome"]][1])
    if asked["q"]:
        number = whole(asked["q"].upper().removeprefix("R-"))
        named = Q(title__icontains=asked["q"]) | Q(config__name__icontains=asked["q"])
        found = found.filter(named | Q(pk=number) if number is not None else named)
    return found


def people() -> list[str]:
    """Return who can have started one: people with a role."""
    names = User.objects.filter(role_bindings__isnull=False).order_by("username")
    return list(names.values_list("username", flat=True).distinct()[:PEOPLE])


def lately(visible: QuerySet[Rollout], now: datetime) -> Lately:
    """Sum up the last 30 days; one query."""
    ended = visible.filter(finished_at__gte=now - LATELY, started_at__isnull=False)
    passed = Q(state=RolloutState.SUCCEEDED)
    took = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    found = ended.order_by().aggregate(
        passed=Count("pk", filter=passed),
        came_back=Count("pk", filter=Q(state__in=CAME_BACK)),
        aborted=Count("pk", filter=Q(state=RolloutState.ABORTED)),
        median=_Median(took, filter=passed),
    )
    return Lately(**found)


def listed(rollouts: Sequence[Rollout]) -> list[ListedRollout]:
    """Return the rows of rollouts read `for_detail`; one query more, for who aborted."""
    aborted = [r.pk for r in rollouts if r.state == RolloutState.ABORTED]
    events = Event.objects.filter(rollout__in=aborted, act="abort") if aborted else []
    ends = {event.rollout_id: event for event in events}
    return [
        ListedRollout(row, _because(row.rollout, ends.get(row.rollout.pk)), _took_s(row.rollout))
        for row in rollout_rows.rows(rollouts)
    ]


def _because(rollout: Rollout, end: Event | None) -> str:
    rollback: Rollback | None = getattr(rollout, "rollback", None)
    if rollback is not None:
        over = rollout.state != RolloutState.ROLLING_BACK
        cause = ways_back.cause(rollback, is_over=over)
        return f"{cause} {ways_back.decided_by(rollback, rollout.plan_name)}."
    if end is None:
        return ""
    reason = said(end.reason).rstrip(".")
    if not reason:
        return _("Aborted by %(name)s.") % {"name": who(end.actor_name)}
    return _("Aborted by %(name)s: “%(reason)s”.") % {"name": who(end.actor_name), "reason": reason}


def _took_s(rollout: Rollout) -> float | None:
    if rollout.started_at is None or rollout.finished_at is None:
        return None
    return (rollout.finished_at - rollout.started_at).total_seconds()
