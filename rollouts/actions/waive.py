"""Waive a gate: a person's "count as passed" for one gate of one phase (spec section 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from console.lib.problems import Missing, Refused
from console.lib.texts import text
from rollouts.analysis.scene import watched_phase
from rollouts.apply import Cause, touch, write_event
from rollouts.checks import locked, needs_reason, not_possible, phase_named
from rollouts.engine.decide import decide
from rollouts.engine.evidence import shown
from rollouts.engine.facts import RolloutFacts
from rollouts.engine.states import ACTIVE_STATES
from rollouts.loop.look import STANDS, go_on, look_on, see
from rollouts.models import Rollout, Waiver


def waive(
    *,
    rollout_id: int,
    phase: str,
    gate: str,
    by: Actor,
    reason: str,
    now: datetime | None = None,
) -> Rollout:
    """Count `gate` ("criterion:failure_rate") as passed until the phase ends, by name and reason.

    Raises Invalid (no reason), Denied, Missing (no such gate), Refused.
    """
    require(by, "rollouts.waive")
    reason, now = needs_reason(reason, text("reason.waiving")), now or timezone.now()
    with transaction.atomic():
        rollout = locked(rollout_id, None, now)
        if rollout.state not in ACTIVE_STATES:
            raise not_possible(rollout, "rollout.not_changed_now")
        row = phase_named(rollout, phase)
        seen = see(rollout, now)
        watched = watched_phase(seen.phases)
        if watched is None or watched.pk != row.pk:
            raise Refused("waive.not_watched", phase=phase)
        found = next((one for one in seen.facts.gates if one.gate == gate), None)
        if found is None or by.user is None:
            raise Missing("waive.no_gate", phase=phase, gate=gate)
        if found.waived_by is not None:
            raise Refused("waive.already", by=found.waived_by)
        Waiver.objects.create(
            phase=row, gate=gate, by=by.user, reason=reason, reading=shown(found), at=now
        )
        write_event(
            rollout, "waive", Cause(by, now, reason, {"gate": shown(found)}), phase=row.name
        )
        touch(rollout, now)
        # Decided on what was shown and kept with the waiver, read once; steps after it look anew.
        seen = replace(seen, facts=_waived(seen.facts, gate, by.user.get_username()))
        decision = decide(seen.facts, now)
        go_on(rollout, seen, decision, now)
        if decision.act not in STANDS:
            look_on(rollout, now)
    return rollout


def _waived(facts: RolloutFacts, gate: str, by: str) -> RolloutFacts:
    gates = tuple(replace(one, waived_by=by) if one.gate == gate else one for one in facts.gates)
    return replace(facts, gates=gates)
