"""Approve a waiting manual phase. A person must decide, not its author or starter (four eyes)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from console.lib.problems import Refused
from console.lib.texts import text
from rollouts.actions.asked_approval import waiting_question
from rollouts.apply import Cause, change_approval
from rollouts.checks import checked_reason
from rollouts.engine.decide import Act, Code, Decision, assume_approved, decide
from rollouts.loop.look import go_on, see
from rollouts.models import Approval, Phase


def approve(
    *,
    rollout_id: int,
    phase: str,
    by: Actor,
    reason: str = "",
    seen_digest: str | None = None,
    seen_revision: int | None = None,
    now: datetime | None = None,
) -> Phase:
    """Approve `phase`; it starts at once unless a freeze window holds it.

    Raises Denied (role, four eyes), Missing, Stale (config, plan or evidence changed since
    `seen_digest`), Refused (nothing is asked, paused, or a gate is red now).
    """
    require(by, "rollouts.approve")
    reason, now = checked_reason(reason), now or timezone.now()
    with transaction.atomic():
        question = waiting_question(rollout_id, phase, by, seen_digest, seen_revision, now)
        rollout = question.rollout
        index = question.phase.index
        seen = see(rollout, now)
        # Decided once, on the facts as they are with the answer: what forbids to start forbids to
        # approve, and what it is decided on is what is carried out.
        decision = decide(assume_approved(seen.facts, index), now)
        if not _lets_start(decision, index) or _is_over(question.approval, now):
            why = decision.gate.sentence if decision.gate is not None else decision.reason
            raise Refused(
                "approve.not_now",
                code="gate_red" if decision.gate is not None else "refused",
                phase=phase,
                why=why or text("approve.moves_on"),
            )
        cause = Cause(by, now, reason, {"digest": question.approval.digest})
        change_approval(rollout, question.approval, Approval.State.APPROVED, cause)
        go_on(rollout, seen, decision, now)
    question.phase.refresh_from_db()
    return question.phase


def _lets_start(decision: Decision, phase: int) -> bool:
    """Whether an approved phase starts now, or as soon as the freeze that holds it ends."""
    goes = decision.act is Act.START_PHASE or decision.code is Code.FROZEN
    return goes and decision.phase == phase


def _is_over(approval: Approval, now: datetime) -> bool:
    return now >= approval.expires_at
