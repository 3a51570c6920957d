"""Roll a rollout back by hand: every touched agent returns to what it ran before."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from console.lib.problems import Refused
from console.lib.texts import Text, text
from rollouts.apply import Cause
from rollouts.checks import locked, needs_reason
from rollouts.engine.states import ROLLOUT_TABLE, RolloutState
from rollouts.models import Rollback, Rollout
from rollouts.rollback.begin import begin_rollback


def rollback_rollout(
    *,
    rollout_id: int,
    by: Actor,
    reason: str,
    method: str | None = None,
    seen_revision: int | None = None,
    now: datetime | None = None,
) -> Rollback:
    """Begin the way back; the rollback loop delivers and verifies it. `method` None is the plan's.

    Of an incomplete rollback, asks the stragglers once more. Raises Invalid (no reason), Denied,
    Missing, Stale, Refused (never started, rolled back already, superseded, agents taken).
    """
    require(by, "rollouts.rollback")
    reason, now = needs_reason(reason, text("reason.rolling_back")), now or timezone.now()
    with transaction.atomic():
        rollout = locked(rollout_id, seen_revision, now)
        if ("roll_back", rollout.state) not in ROLLOUT_TABLE or rollout.started_at is None:
            raise Refused(_why_not(rollout), code="wrong_state")
        return begin_rollback(
            rollout,
            kind=Rollback.Kind.MANUAL,
            cause=Cause(by, now, reason),
            method=method or rollout.plan["rollback"]["strategy"]["method"],
        )


def _why_not(rollout: Rollout) -> Text:
    number = rollout.number
    if rollout.state == RolloutState.ROLLED_BACK:
        return text("rollback.done_already", number=number, version=rollout.version.number)
    if rollout.state == RolloutState.ROLLING_BACK:
        return text("rollback.runs_already", number=number)
    if rollout.state == RolloutState.SUPERSEDED:
        by = rollout.superseded_by
        other = by.number if by else text("rollback.another")
        return text("rollback.superseded", number=number, other=other)
    return text("rollback.never_started", number=number)
