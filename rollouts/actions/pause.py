"""Pause a rollout: nothing more is sent, what is being applied finishes, guards keep watching."""

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


def pause(
    *,
    rollout_id: int,
    by: Actor,
    reason: str = "",
    seen_revision: int | None = None,
    now: datetime | None = None,
) -> Rollout:
    """Pause. Raises Denied, Missing, Stale, Refused when it does not run."""
    require(by, "rollouts.pause")
    reason, now = checked_reason(reason), now or timezone.now()
    with transaction.atomic():
        rollout = locked(rollout_id, seen_revision, now)
        if rollout.state not in {RolloutState.RUNNING, RolloutState.COMPLETING}:
            raise not_possible(rollout, "rollout.not_paused_now")
        change_rollout(
            rollout,
            "pause",
            Cause(by, now, reason),
            paused_by_name=by.name,
            pause_reason=reason,
        )
        look_on(rollout, now)
    return rollout
