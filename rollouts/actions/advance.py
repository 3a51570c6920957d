"""Advance past the rest of a phase, by a person's decision and in their name."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from console.lib.problems import Refused
from console.lib.texts import text
from rollouts.apply import Cause, change_phase
from rollouts.checks import locked, needs_reason, not_possible
from rollouts.engine.evidence import shown
from rollouts.engine.states import OPEN_PHASES, RolloutState
from rollouts.loop.load import load_facts
from rollouts.loop.look import look_on
from rollouts.models import Rollout


def advance(
    *,
    rollout_id: int,
    by: Actor,
    reason: str,
    seen_revision: int | None = None,
    now: datetime | None = None,
) -> Rollout:
    """Let the current phase pass now, without the rest of its observation or its quorum.

    Raises Invalid (no reason), Denied, Missing, Stale, and Refused while a gate is red: waive it or
    roll back instead.
    """
    require(by, "rollouts.advance")
    reason, now = needs_reason(reason, text("reason.advancing")), now or timezone.now()
    with transaction.atomic():
        rollout = locked(rollout_id, seen_revision, now)
        if rollout.state != RolloutState.RUNNING:
            raise not_possible(rollout, "rollout.not_advanced_now")
        phases = list(rollout.phases.order_by("index"))
        phase = next((p for p in phases if p.state in OPEN_PHASES), None)
        if phase is None:
            raise Refused("advance.no_phase", number=rollout.number)
        facts = load_facts(rollout, phases, now)
        red = next((gate for gate in facts.gates if gate.is_red), None)
        if red is not None:
            raise Refused("advance.gate_red", code="gate_red", gate=red.sentence)
        skipped_s = max(0.0, float(phase.spec["duration_s"]) - phase.observed_s)
        inputs = {"skipped_s": skipped_s, "gates": [shown(gate) for gate in facts.gates]}
        change_phase(
            rollout,
            phase,
            "advance",
            Cause(by, now, reason, inputs),
            advanced_by=by.name,
            finished_at=now,
        )
        look_on(rollout, now)
    return rollout
