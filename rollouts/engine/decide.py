"""The next step of a rollout, from facts alone (spec sections 4 and 5). Pure: no clock, no query.

`decide` answers with one transition, or with WAIT and what may be sent meanwhile. Order: guards
first (they act at once, whatever the phase does), then the state, then the current phase.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from console.lib.texts import Text, text
from rollouts.engine.facts import (
    ApprovalState,
    GateFacts,
    GateKind,
    GuardAction,
    PhaseFacts,
    RolloutFacts,
    Verdict,
)
from rollouts.engine.sending import room, slice_of
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.plans.metrics import Source
from rollouts.plans.plan import OnNoData

LOOK_SOON_S = 1.0
LOOK_CALM_S = 2.0


class Act(StrEnum):
    """What the shell does next. All but WAIT are transitions."""

    WAIT = "wait"
    BEGIN = "begin"
    START_PHASE = "start_phase"
    ASK = "ask"
    WITHDRAW = "withdraw"
    RENEW = "renew"
    EXPIRE = "expire"
    DEPLOYED = "deployed"
    PASS = "pass"  # noqa: S105  an act, not a secret
    ADD_REST = "add_rest"
    BAKE = "bake"
    SUCCEED = "succeed"
    PAUSE = "pause"
    ROLL_BACK = "roll_back"


class Code(StrEnum):
    """Why the rollout stands where it stands; `why.py` has the sentence for each."""

    STARTING = "starting"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    NOT_READY = "not_ready"
    SENDING = "sending"
    CONFIRMING = "confirming"
    QUORUM = "quorum"
    OBSERVING = "observing"
    WARNING = "warning"
    FAILING = "failing"
    NO_DATA = "no_data"
    APPROVAL = "approval"
    WITHDRAWN = "withdrawn"
    FROZEN = "frozen"
    BUDGET = "budget"
    PAUSED = "paused"
    BAKING = "baking"
    ROLLING_BACK = "rolling_back"
    FINISHED = "finished"
    UNWELL = "unwell"
    MOVING = "moving"


@dataclass(frozen=True, slots=True)
class Decision:
    """One step. `offer` targets of the current phase may be sent now; `catch_up` lets returning
    targets of begun phases have their offer. `gate` is the evidence that decided."""

    act: Act
    code: Code
    phase: int | None = None
    gate: GateFacts | None = None
    reason: Text | str = ""
    offer: int = 0
    catch_up: bool = False
    look_in_s: float = LOOK_CALM_S


def decide(facts: RolloutFacts, now: datetime) -> Decision:
    """Return the next transition and when to look again."""
    if facts.state is RolloutState.SCHEDULED:
        return _scheduled(facts, now)
    if facts.state is RolloutState.ROLLING_BACK:
        return Decision(Act.WAIT, Code.ROLLING_BACK)
    if facts.state not in {RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.COMPLETING}:
        return Decision(Act.WAIT, Code.FINISHED)
    fired = _guards(facts)
    if fired is not None:
        return fired
    if facts.state is RolloutState.PAUSED:
        return Decision(Act.WAIT, Code.PAUSED)
    if facts.state is RolloutState.COMPLETING:
        return _baking(facts)
    phase = facts.current
    if phase is None:
        return _after_last(facts)
    return _PHASES[phase.state](facts, phase, now)


def _scheduled(facts: RolloutFacts, now: datetime) -> Decision:
    if facts.start_at is not None and now < facts.start_at:
        left = (facts.start_at - now).total_seconds()
        return Decision(Act.WAIT, Code.SCHEDULED, look_in_s=min(30.0, max(LOOK_SOON_S, left)))
    if facts.blockers:
        return Decision(Act.WAIT, Code.QUEUED)
    first = facts.current
    if first is not None and first.frozen_until is not None:
        return Decision(Act.WAIT, Code.FROZEN, first.index, look_in_s=_until(first, now))
    if facts.readiness_blocks:
        return Decision(Act.WAIT, Code.NOT_READY, look_in_s=30.0)
    return Decision(Act.BEGIN, Code.STARTING)


def _guards(facts: RolloutFacts) -> Decision | None:
    """A critical level or a trigger that held acts at once; rollback beats pause."""
    firing = [gate for gate in facts.gates if gate.firing and not gate.is_silenced]
    back = next((gate for gate in firing if gate.action is GuardAction.ROLLBACK), None)
    if back is not None and facts.plan.rollback.enabled:
        return _breach(facts, back)
    hold = back or next((gate for gate in firing if gate.action is GuardAction.PAUSE), None)
    if hold is not None and facts.state is not RolloutState.PAUSED:
        return Decision(Act.PAUSE, Code.FAILING, facts.watched, hold, hold.sentence)
    return None


def _breach(facts: RolloutFacts, gate: GateFacts) -> Decision:
    """What a failed gate does: come back if the plan says so, else stop and ask a person."""
    act = Act.ROLL_BACK if facts.plan.rollback.enabled else Act.PAUSE
    return Decision(act, Code.FAILING, facts.watched, gate, gate.sentence)


def _baking(facts: RolloutFacts) -> Decision:
    if facts.baked_s < facts.plan.bake_s:
        left = facts.plan.bake_s - facts.baked_s
        return Decision(Act.WAIT, Code.BAKING, catch_up=_is_calm(facts), look_in_s=_calm(left))
    red = _red(facts)
    if red is not None:
        return Decision(Act.WAIT, Code.WARNING, facts.watched, red)
    if _is_unsettled(facts):
        return Decision(Act.WAIT, Code.UNWELL, facts.watched, look_in_s=LOOK_SOON_S)
    if not facts.has_quorum:
        return Decision(Act.WAIT, Code.QUORUM, catch_up=True)
    return Decision(Act.SUCCEED, Code.FINISHED)


def _after_last(facts: RolloutFacts) -> Decision:
    red = _red(facts)
    if red is not None:
        return Decision(Act.WAIT, Code.WARNING, facts.watched, red)
    if facts.plan.promote_rest and facts.joiners and not any(p.is_rest for p in facts.phases):
        return Decision(Act.ADD_REST, Code.MOVING)
    return Decision(Act.BAKE, Code.BAKING)


def _pending(facts: RolloutFacts, phase: PhaseFacts, now: datetime) -> Decision:
    if phase.counts.expected + (facts.joiners if phase.is_rest else 0) == 0:
        away = phase.counts.away
        if not away:
            reason = text("decide.nobody_in_it")
            return Decision(Act.PASS, Code.MOVING, phase.index, reason=reason)
        # After others have proved the version, nobody is waited for who was gone from the start.
        if any(p.counts.expected for p in facts.phases if p.index < phase.index):
            reason = text("decide.all_away", away=away)
            return Decision(Act.PASS, Code.MOVING, phase.index, reason=reason)
    red = _red(facts)
    if red is not None:
        return Decision(Act.WAIT, Code.WARNING, facts.watched, red)
    if phase.manual:
        return Decision(Act.ASK, Code.APPROVAL, phase.index)
    if phase.frozen_until is not None:
        return Decision(Act.WAIT, Code.FROZEN, phase.index, look_in_s=_until(phase, now))
    return _start(facts, phase)


def _awaiting(facts: RolloutFacts, phase: PhaseFacts, now: datetime) -> Decision:
    red, approval = _red(facts), phase.approval
    if approval.state is ApprovalState.WAITING:
        if red is not None:
            return Decision(Act.WITHDRAW, Code.WITHDRAWN, phase.index, red, red.sentence)
        if not approval.stands:
            return Decision(
                Act.RENEW, Code.APPROVAL, phase.index, reason=text("decide.evidence_changed")
            )
        if approval.expires_at is not None and now >= approval.expires_at:
            return Decision(Act.EXPIRE, Code.PAUSED, phase.index)
        return Decision(Act.WAIT, Code.APPROVAL, phase.index, catch_up=True)
    if red is not None:
        if approval.state is ApprovalState.APPROVED:
            return Decision(Act.WITHDRAW, Code.WITHDRAWN, phase.index, red, red.sentence)
        return Decision(Act.WAIT, Code.WITHDRAWN, phase.index, red)
    if approval.state is not ApprovalState.APPROVED:
        return Decision(Act.ASK, Code.APPROVAL, phase.index)
    if not approval.stands:
        return Decision(
            Act.RENEW, Code.APPROVAL, phase.index, reason=text("decide.evidence_changed")
        )
    if phase.frozen_until is not None:
        return Decision(Act.WAIT, Code.FROZEN, phase.index, look_in_s=_until(phase, now))
    return _start(facts, phase)


def _start(facts: RolloutFacts, phase: PhaseFacts) -> Decision:
    """Begin a phase, and send its first batch to whoever of it is there by then."""
    offer = max(0, min(room(facts, phase), slice_of(phase.counts)))
    return Decision(Act.START_PHASE, Code.SENDING, phase.index, offer=offer, look_in_s=LOOK_SOON_S)


def sent(decision: Decision, facts: RolloutFacts, offered: int) -> Decision:
    """Return a decision as it reads once what it let be sent is sent, `facts` being as they are then.

    Only the code follows, and that the next slice is offered at once; what else came of it is for
    the next look.
    """
    phase = next((p for p in facts.phases if p.index == decision.phase), None)
    if decision.code is not Code.SENDING or phase is None:
        return decision
    if phase.counts.ready:
        code = Code.BUDGET if facts.budget_note else Code.SENDING
        goes_on = offered >= slice_of(phase.counts) and room(facts, phase) > 0
        return replace(decision, code=code, look_in_s=0.0 if goes_on else decision.look_in_s)
    if phase.counts.outstanding:
        return replace(decision, code=Code.CONFIRMING)
    return replace(decision, look_in_s=0.0)  # all settled at once, or nobody is there


def assume_approved(facts: RolloutFacts, phase: int) -> RolloutFacts:
    """Return the facts as they are once the question about a phase is answered with yes."""
    return replace(
        facts,
        phases=tuple(
            replace(p, approval=replace(p.approval, state=ApprovalState.APPROVED))
            if p.index == phase
            else p
            for p in facts.phases
        ),
    )


def _deploying(facts: RolloutFacts, phase: PhaseFacts, now: datetime) -> Decision:
    counts = phase.counts
    if counts.ready and phase.frozen_until is not None:
        return Decision(Act.WAIT, Code.FROZEN, phase.index, look_in_s=LOOK_CALM_S)
    if counts.ready:
        return Decision(
            Act.WAIT,
            Code.SENDING,
            phase.index,
            offer=max(0, min(room(facts, phase), counts.ready, slice_of(counts))),
            catch_up=True,
            look_in_s=LOOK_SOON_S,
        )
    if counts.outstanding:
        return Decision(
            Act.WAIT, Code.CONFIRMING, phase.index, catch_up=True, look_in_s=LOOK_SOON_S
        )
    if not phase.has_settled_quorum:
        return Decision(Act.WAIT, Code.QUORUM, phase.index, catch_up=True)
    return Decision(Act.DEPLOYED, Code.OBSERVING, phase.index)


def _observing(facts: RolloutFacts, phase: PhaseFacts, now: datetime) -> Decision:
    calm = _is_calm(facts)
    left = phase.spec.duration_s - phase.observed_s
    lost_cause = next((gate for gate in facts.gates if _fails_for_good(gate, phase)), None)
    if lost_cause is not None:
        return _breach(facts, lost_cause)
    if left > 0:
        code, gate = (Code.OBSERVING, None) if calm else (Code.WARNING, _red(facts))
        return Decision(Act.WAIT, code, phase.index, gate, catch_up=calm, look_in_s=_calm(left))
    if not phase.counts.left:
        return Decision(Act.WAIT, Code.QUORUM, phase.index, catch_up=True)
    failed = next((gate for gate in facts.gates if _fails_window(gate, phase)), None)
    if failed is not None:
        return _breach(facts, failed)
    red = _red(facts)
    if red is not None:
        return Decision(Act.WAIT, Code.WARNING, phase.index, red)
    silent = next((gate for gate in facts.gates if not _lets_pass(gate, phase)), None)
    if silent is not None:
        return Decision(Act.WAIT, Code.NO_DATA, phase.index, silent, catch_up=True)
    if not phase.has_quorum:
        return Decision(Act.WAIT, Code.QUORUM, phase.index, catch_up=True)
    if _is_unsettled(facts):
        return Decision(Act.WAIT, Code.UNWELL, phase.index, look_in_s=LOOK_SOON_S)
    return Decision(Act.PASS, Code.MOVING, phase.index, reason=unseen(facts.gates) or "")


def unseen(gates: Iterable[GateFacts]) -> Text | None:
    """Return what the guards of every plan could not see, None when they saw all."""
    names = [gate.title for gate in gates if gate.is_unseen and not gate.is_silenced]
    return text("decide.no_data_about", titles=names) if names else None


def _fails_for_good(gate: GateFacts, phase: PhaseFacts) -> bool:
    """Whether a failed criterion cannot be met any more: agents that refused or fell back break its
    limit by themselves, and time does not heal them. Nobody waits for the end of the window then."""
    counts = phase.counts
    if gate.kind is not GateKind.CRITERION or gate.verdict is not Verdict.FAIL:
        return False
    if gate.is_silenced or gate.source != Source.OPAMP or gate.limit is None or not counts.offered:
        return False
    gone = counts.refused + counts.fell_back
    least = {"failure_rate": gone / counts.offered, "error_count": float(gone)}.get(gate.metric)
    if least is None or gate.operator not in {"<", "<="}:
        return False
    return least >= gate.limit if gate.operator == "<" else least > gate.limit


def _fails_window(gate: GateFacts, phase: PhaseFacts) -> bool:
    """Whether a gate fails the phase at the end of its window (criteria, or silence by rule)."""
    if gate.kind is not GateKind.CRITERION or gate.is_silenced:
        return False
    if gate.verdict is Verdict.FAIL:
        return True
    return _is_silent(gate) and phase.spec.pace.on_no_data is OnNoData.FAIL


def _lets_pass(gate: GateFacts, phase: PhaseFacts) -> bool:
    if gate.passes or gate.action is GuardAction.NOTIFY:
        return True
    return _is_silent(gate) and phase.spec.pace.on_no_data is OnNoData.PASS


def _is_silent(gate: GateFacts) -> bool:
    """Whether a gate has no data, as against readings that are still too few: those are awaited
    whatever `on_no_data` says, so that an hour without a worker decides nothing."""
    return gate.verdict is Verdict.INSUFFICIENT and gate.no_data_since is not None


def _red(facts: RolloutFacts) -> GateFacts | None:
    """The first gate that forbids to go on now: a level, or a firing guard that only notifies.

    A criterion is decided at the end of its window (`_observing`), so it counts here only when
    its phase is over, and not if a person advanced past it.
    """
    watched = next((p for p in facts.phases if p.index == facts.watched), None)
    judged = (
        watched is not None
        and watched.state not in {PhaseState.DEPLOYING, PhaseState.OBSERVING}
        and not watched.advanced_by
    )
    for gate in facts.gates:
        if gate.action is GuardAction.NOTIFY:
            continue
        if gate.is_red and (judged or gate.kind is not GateKind.CRITERION):
            return gate
    return None


def _is_unsettled(facts: RolloutFacts) -> bool:
    """Whether some agent is unwell within its `health_grace`: nobody knows yet if it counts."""
    return any(phase.counts.unsure for phase in facts.phases)


def _is_calm(facts: RolloutFacts) -> bool:
    return _red(facts) is None


def _calm(left_s: float) -> float:
    return min(LOOK_CALM_S, max(LOOK_SOON_S / 2, left_s))


def _until(phase: PhaseFacts, now: datetime) -> float:
    """Seconds until a freeze ends, looked at every 30 s because windows can be removed."""
    if phase.frozen_until is None:
        return LOOK_CALM_S
    return min(30.0, max(LOOK_SOON_S, (phase.frozen_until - now).total_seconds()))


_PHASES = {
    PhaseState.PENDING: _pending,
    PhaseState.AWAITING_APPROVAL: _awaiting,
    PhaseState.DEPLOYING: _deploying,
    PhaseState.OBSERVING: _observing,
}
