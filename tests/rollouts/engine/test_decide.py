"""The decision as a table of cases: what is known, and what is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rollouts.engine.decide import Act, Code, decide
from rollouts.engine.facts import (
    ApprovalFacts,
    ApprovalState,
    Blocker,
    Counts,
    GateKind,
    GuardAction,
    RolloutFacts,
    Verdict,
)
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.plans.plan import OnNoData
from tests.make.times import NOW
from tests.rollouts.engine.facts import (
    CRITICAL,
    DONE,
    FAIL,
    PASS,
    SILENT,
    TOO_FEW,
    WARNING,
    gate,
    guard,
    no_rollback,
    phase,
    plan,
    rollout,
)

S, R = PhaseState, RolloutState
LONG: dict[str, Any] = {"observed_s": 60.0}
LATER = NOW + timedelta(hours=1)
WAITING = ApprovalFacts(ApprovalState.WAITING, NOW, LATER)
APPROVED = ApprovalFacts(ApprovalState.APPROVED, NOW, LATER)
PASSED = phase(0, S.PASSED)
FIRING_NOTE = guard(firing=True, action=GuardAction.NOTIFY)
SENDING = Counts(members=10, waiting=6, offered=4, outstanding=3, applied=1, confirmed=1)
PENDING = Counts(members=90, waiting=90)


def second(state: PhaseState = S.PENDING, counts: Counts = PENDING, **changes: Any) -> RolloutFacts:
    """A rollout whose first phase passed."""
    gates = changes.pop("gates", ())
    return rollout(PASSED, phase(1, state, counts, **changes), watched=0, gates=gates)


CASES = {
    # A rollout that is not running
    "finished": (rollout(state=R.SUCCEEDED), Act.WAIT, Code.FINISHED),
    "rolling back": (rollout(state=R.ROLLING_BACK), Act.WAIT, Code.ROLLING_BACK),
    "paused": (rollout(phase(**LONG), state=R.PAUSED, gates=(PASS,)), Act.WAIT, Code.PAUSED),
    "paused, a guard still comes back": (
        rollout(state=R.PAUSED, gates=(CRITICAL,)),
        Act.ROLL_BACK,
        Code.FAILING,
    ),
    "paused, a guard that would pause does not pause it again": (
        rollout(state=R.PAUSED, gates=(guard(firing=True, action=GuardAction.PAUSE),)),
        Act.WAIT,
        Code.PAUSED,
    ),
    "scheduled and due in a freeze": (
        rollout(phase(0, S.PENDING, PENDING, frozen_until=LATER), state=R.SCHEDULED, start_at=NOW),
        Act.WAIT,
        Code.FROZEN,
    ),
    "scheduled for later": (rollout(state=R.SCHEDULED, start_at=LATER), Act.WAIT, Code.SCHEDULED),
    "scheduled and due": (rollout(state=R.SCHEDULED, start_at=NOW), Act.BEGIN, Code.STARTING),
    "queued behind another": (
        rollout(state=R.SCHEDULED, blockers=(Blocker("R-0001"),)),
        Act.WAIT,
        Code.QUEUED,
    ),
    "scheduled but not ready": (
        rollout(state=R.SCHEDULED, readiness_blocks=("No agent.",)),
        Act.WAIT,
        Code.NOT_READY,
    ),
    # Guards act at once, whatever the phase does
    "critical while sending": (
        rollout(phase(state=S.DEPLOYING, counts=SENDING), gates=(CRITICAL,)),
        Act.ROLL_BACK,
        Code.FAILING,
    ),
    "critical while observing": (rollout(gates=(PASS, CRITICAL)), Act.ROLL_BACK, Code.FAILING),
    "critical while an approval waits": (
        second(S.AWAITING_APPROVAL, approval=WAITING, gates=(CRITICAL,)),
        Act.ROLL_BACK,
        Code.FAILING,
    ),
    "critical while baking": (
        rollout(PASSED, phase(1, S.PASSED), state=R.COMPLETING, gates=(CRITICAL,)),
        Act.ROLL_BACK,
        Code.FAILING,
    ),
    "critical without rollback pauses": (
        rollout(plan=no_rollback(), gates=(CRITICAL,)),
        Act.PAUSE,
        Code.FAILING,
    ),
    "a trigger that pauses": (
        rollout(gates=(guard(firing=True, action=GuardAction.PAUSE),)),
        Act.PAUSE,
        Code.FAILING,
    ),
    "a trigger that only notifies": (
        rollout(gates=(guard(firing=True, action=GuardAction.NOTIFY),)),
        Act.WAIT,
        Code.OBSERVING,
    ),
    "rollback beats pause": (
        rollout(gates=(guard(firing=True, action=GuardAction.PAUSE), CRITICAL)),
        Act.ROLL_BACK,
        Code.FAILING,
    ),
    "a waived guard is silent": (
        rollout(gates=(replace(CRITICAL, waived_by="wei"),)),
        Act.WAIT,
        Code.OBSERVING,
    ),
    # Sending
    "sending the next batch": (
        rollout(phase(state=S.DEPLOYING, counts=SENDING)),
        Act.WAIT,
        Code.SENDING,
    ),
    "waiting for words": (
        rollout(phase(state=S.DEPLOYING, counts=Counts(10, 0, 10, 3, applied=7, confirmed=7))),
        Act.WAIT,
        Code.CONFIRMING,
    ),
    "too many are away": (
        rollout(phase(state=S.DEPLOYING, counts=Counts(10, 3, 7, 0, applied=7, offline=3))),
        Act.WAIT,
        Code.QUORUM,
    ),
    "one of ten is away": (
        rollout(phase(state=S.DEPLOYING, counts=Counts(10, 1, 9, 0, applied=9, offline=1))),
        Act.DEPLOYED,
        Code.OBSERVING,
    ),
    "time-outs end the sending": (
        rollout(phase(state=S.DEPLOYING, counts=Counts(10, 0, 10, 0, applied=8, timed_out=2))),
        Act.DEPLOYED,
        Code.OBSERVING,
    ),
    "frozen while sending": (
        rollout(phase(state=S.DEPLOYING, counts=SENDING, frozen_until=LATER)),
        Act.WAIT,
        Code.FROZEN,
    ),
    # Observing
    "the window is not over": (rollout(gates=(PASS,)), Act.WAIT, Code.OBSERVING),
    "a failing criterion waits for the window": (rollout(gates=(FAIL,)), Act.WAIT, Code.OBSERVING),
    "all gates pass": (rollout(phase(**LONG), gates=(PASS,)), Act.PASS, Code.MOVING),
    "no gates at all": (rollout(phase(**LONG)), Act.PASS, Code.MOVING),
    "a criterion fails at the end": (
        rollout(phase(**LONG), gates=(FAIL,)),
        Act.ROLL_BACK,
        Code.FAILING,
    ),
    "a criterion fails without rollback": (
        rollout(phase(**LONG), gates=(FAIL,), plan=no_rollback()),
        Act.PAUSE,
        Code.FAILING,
    ),
    "a waived failure passes": (
        rollout(phase(**LONG), gates=(replace(FAIL, waived_by="wei"),)),
        Act.PASS,
        Code.MOVING,
    ),
    "no data holds": (rollout(phase(**LONG), gates=(SILENT,)), Act.WAIT, Code.NO_DATA),
    "no data fails by rule": (
        rollout(phase(pace={"on_no_data": OnNoData.FAIL}, **LONG), gates=(SILENT,)),
        Act.ROLL_BACK,
        Code.FAILING,
    ),
    "no data passes by rule": (
        rollout(phase(pace={"on_no_data": OnNoData.PASS}, **LONG), gates=(SILENT,)),
        Act.PASS,
        Code.MOVING,
    ),
    "too few readings are awaited whatever the rule": (
        rollout(phase(pace={"on_no_data": OnNoData.PASS}, **LONG), gates=(TOO_FEW,)),
        Act.WAIT,
        Code.NO_DATA,
    ),
    "a guard without data is no failed criterion": (
        rollout(
            phase(pace={"on_no_data": OnNoData.FAIL}, **LONG),
            gates=(PASS, replace(SILENT, kind=GateKind.TRIGGER)),
        ),
        Act.WAIT,
        Code.NO_DATA,
    ),
    "what only notifies holds nothing": (
        rollout(phase(**LONG), gates=(PASS, replace(FIRING_NOTE, verdict=Verdict.INSUFFICIENT))),
        Act.PASS,
        Code.MOVING,
    ),
    "inconclusive holds": (
        rollout(phase(**LONG), gates=(gate(Verdict.INCONCLUSIVE),)),
        Act.WAIT,
        Code.NO_DATA,
    ),
    "a warning holds": (rollout(phase(**LONG), gates=(PASS, WARNING)), Act.WAIT, Code.WARNING),
    "somebody is unwell within the grace": (
        rollout(phase(counts=replace(DONE, sick=1), **LONG), gates=(PASS,)),
        Act.WAIT,
        Code.UNWELL,
    ),
    "somebody is unwell for good, and the gates allow it": (
        rollout(phase(counts=replace(DONE, sick=1, unhealthy=1), **LONG), gates=(PASS,)),
        Act.PASS,
        Code.MOVING,
    ),
    "everybody was taken out": (
        rollout(phase(counts=Counts(members=2, rolled_back=2), **LONG)),
        Act.WAIT,
        Code.QUORUM,
    ),
    "nobody was left to send it to": (
        rollout(phase(state=S.DEPLOYING, counts=Counts(members=2, skipped=2))),
        Act.WAIT,
        Code.QUORUM,
    ),
    "who was taken out is not needed for the quorum": (
        rollout(phase(counts=Counts(10, 0, 8, applied=8, on_new=8, rolled_back=2), **LONG)),
        Act.PASS,
        Code.MOVING,
    ),
    "a quorum without binary noise": (
        rollout(
            phase(
                counts=Counts(25, 0, 25, applied=7, timed_out=18, on_new=7),
                pace={"quorum": 0.28},
                **LONG,
            )
        ),
        Act.PASS,
        Code.MOVING,
    ),
    "everybody was taken out, whatever the gates say": (
        rollout(phase(counts=Counts(members=2, rolled_back=2), **LONG), gates=(FAIL,)),
        Act.WAIT,
        Code.QUORUM,
    ),
    # The next phase
    "its turn": (second(), Act.START_PHASE, Code.SENDING),
    "no agents pass at once": (second(counts=Counts()), Act.PASS, Code.MOVING),
    "even when manual": (second(counts=Counts(), manual=True), Act.PASS, Code.MOVING),
    "manual asks": (second(manual=True), Act.ASK, Code.APPROVAL),
    "a warning holds the next phase": (second(gates=(WARNING,)), Act.WAIT, Code.WARNING),
    "a criterion gone bad holds it": (second(gates=(FAIL,)), Act.WAIT, Code.WARNING),
    "frozen": (second(frozen_until=LATER), Act.WAIT, Code.FROZEN),
    # Approval
    "asked": (second(S.AWAITING_APPROVAL, approval=WAITING), Act.WAIT, Code.APPROVAL),
    "approved": (second(S.AWAITING_APPROVAL, approval=APPROVED), Act.START_PHASE, Code.SENDING),
    "approved but frozen": (
        second(S.AWAITING_APPROVAL, approval=APPROVED, frozen_until=LATER),
        Act.WAIT,
        Code.FROZEN,
    ),
    "a red gate withdraws it": (
        second(S.AWAITING_APPROVAL, approval=WAITING, gates=(WARNING,)),
        Act.WITHDRAW,
        Code.WITHDRAWN,
    ),
    "even when approved": (
        second(S.AWAITING_APPROVAL, approval=APPROVED, gates=(FAIL,)),
        Act.WITHDRAW,
        Code.WITHDRAWN,
    ),
    "withdrawn, still red": (
        second(
            S.AWAITING_APPROVAL,
            approval=ApprovalFacts(ApprovalState.WITHDRAWN),
            gates=(WARNING,),
        ),
        Act.WAIT,
        Code.WITHDRAWN,
    ),
    "withdrawn, calm again": (
        second(S.AWAITING_APPROVAL, approval=ApprovalFacts(ApprovalState.WITHDRAWN)),
        Act.ASK,
        Code.APPROVAL,
    ),
    "other evidence lapses it": (
        second(S.AWAITING_APPROVAL, approval=replace(WAITING, stands=False)),
        Act.RENEW,
        Code.APPROVAL,
    ),
    "and an approval given on it": (
        second(S.AWAITING_APPROVAL, approval=replace(APPROVED, stands=False)),
        Act.RENEW,
        Code.APPROVAL,
    ),
    "nobody answered": (
        second(S.AWAITING_APPROVAL, approval=replace(WAITING, expires_at=NOW)),
        Act.EXPIRE,
        Code.PAUSED,
    ),
    "asked again after a rejection": (
        second(S.AWAITING_APPROVAL, approval=ApprovalFacts(ApprovalState.REJECTED)),
        Act.ASK,
        Code.APPROVAL,
    ),
    # After the last phase
    "bakes": (rollout(PASSED, phase(1, S.PASSED)), Act.BAKE, Code.BAKING),
    "newcomers first": (
        rollout(PASSED, phase(1, S.PASSED), joiners=3),
        Act.ADD_REST,
        Code.MOVING,
    ),
    "newcomers stay out by plan": (
        rollout(PASSED, phase(1, S.PASSED), joiners=3, plan=plan(promote_rest=False)),
        Act.BAKE,
        Code.BAKING,
    ),
    "newcomers get one last wave, not one after another": (
        rollout(PASSED, phase(1, S.PASSED, is_rest=True), joiners=3),
        Act.BAKE,
        Code.BAKING,
    ),
    "newcomers join the last wave": (
        rollout(PASSED, phase(1, S.PENDING, Counts(), is_rest=True), joiners=3),
        Act.START_PHASE,
        Code.SENDING,
    ),
    "a warning after the last phase": (
        rollout(PASSED, phase(1, S.PASSED), gates=(WARNING,)),
        Act.WAIT,
        Code.WARNING,
    ),
    "baking": (
        rollout(PASSED, phase(1, S.PASSED), state=R.COMPLETING, baked_s=59.0),
        Act.WAIT,
        Code.BAKING,
    ),
    "baked": (
        rollout(PASSED, phase(1, S.PASSED), state=R.COMPLETING, baked_s=60.0),
        Act.SUCCEED,
        Code.FINISHED,
    ),
    "baked, but somebody is unwell within the grace": (
        rollout(
            PASSED,
            phase(1, S.PASSED, replace(DONE, sick=1)),
            state=R.COMPLETING,
            baked_s=60.0,
        ),
        Act.WAIT,
        Code.UNWELL,
    ),
    "baked but amber": (
        rollout(PASSED, phase(1, S.PASSED), state=R.COMPLETING, baked_s=60.0, gates=(WARNING,)),
        Act.WAIT,
        Code.WARNING,
    ),
}


@pytest.mark.parametrize(("facts", "act", "code"), CASES.values(), ids=list(CASES))
def test_case(facts: RolloutFacts, act: Act, code: Code) -> None:
    decision = decide(facts, NOW)
    assert (decision.act, decision.code) == (act, code)


@pytest.mark.parametrize("facts", [case[0] for case in CASES.values()], ids=list(CASES))
def test_same_facts_same_decision(facts: RolloutFacts) -> None:
    assert decide(facts, NOW) == decide(facts, NOW)
