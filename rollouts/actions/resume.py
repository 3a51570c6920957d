"""Resume a paused rollout where it stood."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from rollouts.apply import Cause, change_rollout
from rollouts.checks import checked_reason, locked, not_possible
from rollouts.engine.states import RolloutState
from rollouts.loop.look import look_on
from rollouts.models import Rollout


def resume(
    *,
    rollout_id: int,
    by: Actor,
    reason: str = "",
    seen_revision: int | None = None,
    now: datetime | None = None,
) -> Rollout:
    """Go on. A guard that still fires pauses or rolls back again at once.

    Raises Denied, Missing, Stale, Refused when it is not paused.
    """
    require(by, "rollouts.resume")
    reason, now = checked_reason(reason), now or timezone.now()
    with transaction.atomic():
        rollout = locked(rollout_id, seen_revision, now)
        if rollout.state != RolloutState.PAUSED:
            raise not_possible(rollout, "rollout.not_resumed_now")
        change_rollout(
            rollout,
            "resume",
            Cause(by, now, reason),
            paused_by_name="",
            pause_reason="",
            looked_at=now,
        )
        look_on(rollout, now)
    return rollout
