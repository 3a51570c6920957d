"""Carries out what `decide` answered: one transition, in the transaction of the tick or act."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from accounts.actor import SYSTEM
from console.lib.texts import Text, text
from rollouts.apply import (
    Cause,
    change_approval,
    change_phase,
    change_rollout,
    write_event,
)
from rollouts.delivering.counts import recount
from rollouts.delivering.joiners import add_joiners
from rollouts.delivering.targets import see_connections
from rollouts.drafts.membership_rows import rest_phase
from rollouts.ending import succeed, withdraw_questions
from rollouts.engine.decide import Act, Decision
from rollouts.engine.evidence import digest, evidence, shown
from rollouts.engine.facts import RolloutFacts
from rollouts.engine.states import PhaseState, TargetState
from rollouts.engine.tally import total
from rollouts.loop.begin import begin
from rollouts.models import Approval, Phase, Rollback, Rollout, Target
from rollouts.plans.metrics import Source
from rollouts.rollback.begin import begin_rollback

APPROVAL_LIFE = timedelta(hours=24)


class Step:
    """One decision about to be carried out, with everything around it."""

    def __init__(
        self,
        rollout: Rollout,
        phases: Sequence[Phase],
        facts: RolloutFacts,
        decision: Decision,
        now: datetime,
    ) -> None:
        self.rollout, self.phases, self.facts = rollout, list(phases), facts
        self.decision, self.now = decision, now

    @property
    def phase(self) -> Phase:
        return next(p for p in self.phases if p.index == self.decision.phase)

    def cause(self, reason: Text | str = "", **inputs: Any) -> Cause:
        """Return the cause of a transition: the engine, the reason, the readings it decided on."""
        if self.decision.gate is not None:
            inputs = {"gate": shown(self.decision.gate), **inputs}
        return Cause(SYSTEM, self.now, reason or self.decision.reason, inputs)

    @property
    def readings(self) -> list[dict[str, Any]]:
        return [shown(gate) for gate in self.facts.gates]


def carry_out(step: Step) -> None:
    """Do one transition. The caller holds the lock of the rollout's row."""
    _ACTS[step.decision.act](step)


def _begin(step: Step) -> None:
    begin(step.rollout, step.cause(), SYSTEM)


def _start_phase(step: Step) -> None:
    phase, joined = step.phase, 0
    if phase.is_rest:
        joined = add_joiners(step.rollout, phase)
    see_connections([phase.pk])
    recount([phase], step.now)
    cause = step.cause(members=phase.counts.get("members", 0), joined=joined)
    change_phase(step.rollout, phase, "start_phase", cause, started_at=step.now)
    step.rollout.current_phase = phase.index
    step.rollout.save(update_fields=["current_phase"])


def _ask(step: Step) -> None:
    """Put the question, told by one event: the phase's own, or when it waits already, another one."""
    phase = step.phase
    seen = evidence(step.facts.gates, {p.name: p.counts for p in step.phases}, step.now)
    approval = Approval.objects.create(
        phase=phase,
        evidence=seen,
        digest=digest(step.rollout.version.config_hash, step.rollout.plan, seen),
        asked_at=step.now,
        expires_at=step.now + APPROVAL_LIFE,
    )
    cause = step.cause(
        digest=approval.digest, expires_at=approval.expires_at.isoformat(), gates=step.readings
    )
    if phase.state != PhaseState.PENDING:
        write_event(step.rollout, "approval_asked", cause, phase=phase.name, state_to="waiting")
        return
    change_phase(step.rollout, phase, "ask_approval", cause)
    step.rollout.current_phase = phase.index
    step.rollout.save(update_fields=["current_phase"])


def _question(step: Step) -> Approval:
    found = Approval.objects.filter(phase=step.phase, state__in=["waiting", "approved"])
    question: Approval = found.select_related("phase").latest("pk")
    return question


def _withdraw(step: Step) -> None:
    change_approval(step.rollout, _question(step), Approval.State.WITHDRAWN, step.cause())


def _renew(step: Step) -> None:
    change_approval(step.rollout, _question(step), Approval.State.LAPSED, step.cause())
    _ask(step)


def _expire(step: Step) -> None:
    reason = text("approval.nobody_answered", phase=step.phase.name)
    change_approval(step.rollout, _question(step), Approval.State.EXPIRED, step.cause(reason))
    _pause_for(step, reason)


def _deployed(step: Step) -> None:
    cause = step.cause(counts=step.phase.counts)
    change_phase(step.rollout, step.phase, "deployed", cause, deployed_at=step.now)


def _pass(step: Step) -> None:
    cause = step.cause(gates=step.readings, counts=step.phase.counts)
    change_phase(step.rollout, step.phase, "pass_phase", cause, finished_at=step.now)


def _add_rest(step: Step) -> None:
    names = [phase.name for phase in step.phases]
    phase = rest_phase(step.rollout, step.facts.plan, names, _environments(step.phases))
    phase.save(force_insert=True)
    joined = step.facts.joiners
    reason = text("rest.joined", joined=joined)
    write_event(step.rollout, "add_rest", step.cause(reason, joined=joined), phase=phase.name)


def _environments(phases: Sequence[Phase]) -> list[str]:
    return sorted({value for phase in phases for value in phase.environments})


def _bake(step: Step) -> None:
    change_rollout(step.rollout, "bake", step.cause())


def _succeed(step: Step) -> None:
    succeed(step.rollout, step.rollout.version.config_hash, step.cause(gates=step.readings))


def _pause(step: Step) -> None:
    _pause_for(step, step.decision.reason)


def _pause_for(step: Step, reason: Text | str) -> None:
    change_rollout(
        step.rollout,
        "pause",
        step.cause(reason),
        paused_by_name=SYSTEM.name,
        pause_reason=reason,
    )


def _roll_back(step: Step) -> None:
    gate = step.decision.gate
    for phase in step.phases:
        if phase.state == PhaseState.AWAITING_APPROVAL:
            withdraw_questions(step.rollout, phase, step.cause())
    begin_rollback(
        step.rollout,
        kind=Rollback.Kind.AUTOMATIC,
        cause=step.cause(gates=step.readings, only_silence=_is_only_silence(step)),
        method=step.facts.plan.rollback.strategy.method.value,
        breach_at=(gate.pending_since or gate.at) if gate is not None else None,
        failed_phase=step.decision.phase,
    )


def _is_only_silence(step: Step) -> bool:
    """Whether what decided is that agents did not answer, and nothing else: silence says nothing
    about the version, so it is not kept from the fleet (spec section 4)."""
    gate = step.decision.gate
    if gate is None or gate.source != Source.OPAMP:
        return False
    counts = total([phase.counts for phase in step.facts.phases])
    if not counts.silent and not counts.lost:
        return False
    if counts.refused or counts.fell_back or counts.unhealthy:
        return False
    # Who vanished after it had applied the version did say something; who comes back without what it
    # had stored says something of its storage.
    spoke = Target.objects.filter(
        rollout=step.rollout, state=TargetState.LOST, confirmed_at__isnull=False, losses=0
    )
    return not (counts.lost and spoke.exists())


_ACTS: dict[Act, Callable[[Step], None]] = {
    Act.BEGIN: _begin,
    Act.START_PHASE: _start_phase,
    Act.ASK: _ask,
    Act.WITHDRAW: _withdraw,
    Act.RENEW: _renew,
    Act.EXPIRE: _expire,
    Act.DEPLOYED: _deployed,
    Act.PASS: _pass,
    Act.ADD_REST: _add_rest,
    Act.BAKE: _bake,
    Act.SUCCEED: _succeed,
    Act.PAUSE: _pause,
    Act.ROLL_BACK: _roll_back,
}
