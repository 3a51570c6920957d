"""Reject a waiting manual phase: the rollout pauses, and people decide what becomes of it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from console.lib.texts import text
from rollouts.actions.asked_approval import waiting_question
from rollouts.apply import Cause, change_approval, change_rollout
from rollouts.checks import needs_reason
from rollouts.loop.look import look_on
from rollouts.models import Approval, Phase


def reject(
    *,
    rollout_id: int,
    phase: str,
    by: Actor,
    reason: str,
    seen_digest: str | None = None,
    seen_revision: int | None = None,
    now: datetime | None = None,
) -> Phase:
    """Answer no. Agents that have the version keep it; resuming asks again.

    Raises Invalid (no reason), Denied (role, four eyes), Missing, Stale, Refused.
    """
    require(by, "rollouts.reject")
    reason, now = needs_reason(reason, text("reason.rejecting")), now or timezone.now()
    with transaction.atomic():
        question = waiting_question(rollout_id, phase, by, seen_digest, seen_revision, now)
        cause = Cause(by, now, reason, {"digest": question.approval.digest})
        change_approval(question.rollout, question.approval, Approval.State.REJECTED, cause)
        change_rollout(
            question.rollout,
            "pause",
            cause,
            paused_by_name=by.name,
            pause_reason=text("approve.rejected", phase=phase, reason=reason),
        )
        look_on(question.rollout, now)
    return question.phase
