"""How a rollback went: its numbers, its curve, and who did not come back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.pages.drawing import plots
from console.pages.rollbacks import recovery
from console.pages.rollbacks.progress import Progress, progress_of
from console.words import times
from rollouts.engine.states import RollbackState, RollbackTargetState
from rollouts.models import Rollback, RollbackTarget

MAX_STRAGGLERS = 50


@dataclass(frozen=True, slots=True)
class Course:
    """How a rollback went: its numbers, the curve of agents that came back, who did not."""

    progress: Progress
    recovery: recovery.Recovery
    curve: SafeString
    ticks: list[str]
    detect_s: float | None
    stragglers: list[RollbackTarget]
    is_running: bool

    @property
    def rollback(self) -> Rollback:
        return self.progress.rollback


def course_of(rollback: Rollback, now: datetime) -> Course:
    """Read how the rollback went; three queries."""
    progress = progress_of(rollback)
    found = RollbackTarget.objects.filter(rollback=rollback)
    is_back = Q(state=RollbackTargetState.CONFIRMED)
    times_back = found.filter(is_back, confirmed_at__isnull=False)
    confirmed = [at for at in times_back.values_list("confirmed_at", flat=True) if at]
    is_running = rollback.state == RollbackState.RUNNING
    curve = recovery.recovery(
        rollback.decided_at, confirmed, progress.online, now if is_running else None
    )
    stragglers = found.exclude(is_back).select_related("agent").order_by("pk")
    detect = rollback.decided_at - rollback.breach_at if rollback.breach_at else None
    return Course(
        progress=progress,
        recovery=curve,
        curve=_curve(curve),
        ticks=[times.exact_span(s) for s in recovery.ticks(curve.end_s)],
        detect_s=detect.total_seconds() if detect is not None else None,
        stragglers=list(stragglers[:MAX_STRAGGLERS]),
        is_running=is_running,
    )


def _curve(found: recovery.Recovery) -> SafeString:
    label = _("%(n)d of %(m)d online agents confirmed") % {"n": found.confirmed, "m": found.online}
    if found.half_s is not None:
        label += ", " + _("half after %(s)s") % {"s": times.exact_span(found.half_s)}
    if found.goal_s is not None:
        label += ", " + _("99 %% after %(s)s") % {"s": times.exact_span(found.goal_s)}
    return plots.step_curve(found.steps, end_s=found.end_s, goal_s=recovery.GOAL_S, label=label)
