"""Abort a rollout: stop, and leave every agent as it is."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from console.lib.texts import text
from rollouts.apply import Cause, change_rollout
from rollouts.checks import locked, needs_reason, not_possible
from rollouts.ending import end_phases, let_go
from rollouts.engine.states import ROLLOUT_TABLE
from rollouts.models import Rollout


def abort(
    *,
    rollout_id: int,
    by: Actor,
    reason: str,
    seen_revision: int | None = None,
    now: datetime | None = None,
) -> Rollout:
    """Stop for good. Agents that were offered the version keep it; to undo it, roll back.

    Raises Invalid (no reason), Denied, Missing, Stale, Refused when it is over or rolls back.
    """
    require(by, "rollouts.abort")
    reason, now = needs_reason(reason, text("reason.aborting")), now or timezone.now()
    with transaction.atomic():
        rollout = locked(rollout_id, seen_revision, now)
        if ("abort", rollout.state) not in ROLLOUT_TABLE:
            raise not_possible(rollout, "rollout.not_aborted_now")
        cause = Cause(by, now, reason)
        end_phases(rollout, cause)
        change_rollout(rollout, "abort", cause, finished_at=now)
        let_go(rollout, now)
    return rollout
