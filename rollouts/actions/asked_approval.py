"""Finds the approval that is waited for, and checks who answers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.actor import Actor
from accounts.policy import four_eyes
from console.lib.problems import Denied, Refused, Stale
from rollouts.checks import locked, phase_named
from rollouts.engine.states import RolloutState
from rollouts.models import Approval, Phase, Rollout


@dataclass(frozen=True, slots=True)
class Question:
    """A rollout (locked), its waiting phase, and the approval asked."""

    rollout: Rollout
    phase: Phase
    approval: Approval


def waiting_question(
    rollout_id: int,
    phase: str,
    by: Actor,
    seen_digest: str | None,
    seen_revision: int | None,
    now: datetime,
) -> Question:
    """Return what is asked. Raises Missing, Denied (four eyes), Stale, Refused."""
    rollout = locked(rollout_id, seen_revision, now)
    row = phase_named(rollout, phase)
    answer = four_eyes(by, rollout.involved_ids())
    if not answer:
        raise Denied(answer.says)
    approval = Approval.objects.filter(phase=row, state="waiting").select_related("phase").first()
    if approval is None:
        raise Refused("approve.not_waiting", code="not_waiting", phase=phase)
    if rollout.state != RolloutState.RUNNING:
        raise Refused(
            "approve.resume_first",
            code="wrong_state",
            number=rollout.number,
            state=rollout.state,
        )
    if seen_digest is not None and seen_digest != approval.digest:
        raise Stale("approve.evidence_changed", code="evidence_changed")
    return Question(rollout, row, approval)
