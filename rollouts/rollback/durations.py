"""How long a rollback took: to see the breach, to decide, to restore (spec section 5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max

from console.lib.texts import text
from rollouts.models import Rollback, RollbackTarget

# What each number is the time of.
MEANINGS = {
    "detect_s": text("took.detect"),
    "decide_s": text("took.decide"),
    "restored_99_s": text("took.restore_most"),
    "restored_s": text("took.restore"),
}


def durations(rollback: Rollback) -> dict[str, float]:
    """Return the seconds that are known by the names of MEANINGS. A person's rollback has no
    breach, one that nobody has confirmed is not restored."""
    found: dict[str, float] = {}
    if rollback.breach_at is not None:
        begun = _phase_begun(rollback)
        if begun is not None:
            found["detect_s"] = _seconds(rollback.breach_at - begun)
        found["decide_s"] = _seconds(rollback.decided_at - rollback.breach_at)
    confirmed = RollbackTarget.objects.filter(rollback=rollback, state="confirmed")
    times = sorted(at for at in confirmed.values_list("confirmed_at", flat=True) if at is not None)
    if times:
        place = max(0, -(-99 * len(times) // 100) - 1)
        found["restored_99_s"] = _seconds(times[place] - rollback.decided_at)
        found["restored_s"] = _seconds(times[-1] - rollback.decided_at)
    return found


def _phase_begun(rollback: Rollback) -> datetime | None:
    """Return when the phase began in which the breach was seen."""
    if rollback.rollout is None:
        return None
    before = rollback.rollout.phases.filter(started_at__lte=rollback.breach_at)
    begun: datetime | None = before.aggregate(last=Max("started_at"))["last"]
    return begun


def _seconds(span: timedelta) -> float:
    return round(max(0.0, span.total_seconds()), 3)
