"""What members run now decides: the decision as a table of cases, on who runs the version at the moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollouts.engine.decide import Act, Code, decide
from rollouts.engine.facts import Counts, RolloutFacts
from rollouts.engine.states import PhaseState, RolloutState
from tests.make.times import NOW
from tests.rollouts.engine.facts import DONE, FAIL, PASS, phase, rollout
from tests.rollouts.engine.test_decide import LONG, PASSED

S, R = PhaseState, RolloutState

CASES = {
    "a criterion that refusals alone break does not wait": (
        rollout(
            phase(counts=Counts(20, offered=20, applied=19, on_new=19, failed=1)),
            gates=(replace(FAIL, limit=0.01, operator="<", source="opamp"),),
        ),
        Act.ROLL_BACK,
        Code.FAILING,
    ),
    "one that silence breaks may still be met": (
        rollout(
            phase(counts=Counts(20, offered=20, applied=19, on_new=19, timed_out=1)),
            gates=(replace(FAIL, limit=0.01, operator="<", source="opamp"),),
        ),
        Act.WAIT,
        Code.OBSERVING,
    ),
    "one that other data fail may still be met": (
        rollout(
            phase(counts=Counts(20, offered=20, applied=19, on_new=19, failed=1)),
            gates=(replace(FAIL, limit=0.01, operator="<", source="prometheus"),),
        ),
        Act.WAIT,
        Code.OBSERVING,
    ),
    "too few run it": (
        rollout(phase(counts=Counts(10, 0, 10, 0, applied=8, timed_out=2, on_new=8), **LONG)),
        Act.WAIT,
        Code.QUORUM,
    ),
    "a word that is not true any more is no quorum": (
        rollout(phase(counts=replace(DONE, on_new=8, gone=2), **LONG), gates=(PASS,)),
        Act.WAIT,
        Code.QUORUM,
    ),
    "all refused is no quorum": (
        rollout(phase(counts=Counts(10, 0, 10, failed=10, confirmed=10), **LONG), gates=(PASS,)),
        Act.WAIT,
        Code.QUORUM,
    ),
    "somebody is mending, which is known": (
        rollout(phase(counts=replace(DONE, unhealthy=1, mending=1), **LONG), gates=(PASS,)),
        Act.PASS,
        Code.MOVING,
    ),
    "baked, but too few run it now": (
        rollout(
            PASSED,
            phase(1, S.PASSED, replace(DONE, on_new=7, gone=3)),
            state=R.COMPLETING,
            baked_s=60.0,
        ),
        Act.WAIT,
        Code.QUORUM,
    ),
    "baked, and who was advanced past a person answers for": (
        rollout(
            PASSED,
            phase(1, S.PASSED, replace(DONE, on_new=7, failed=3), advanced_by="wei"),
            state=R.COMPLETING,
            baked_s=60.0,
        ),
        Act.SUCCEED,
        Code.FINISHED,
    ),
}


@pytest.mark.parametrize(("facts", "act", "code"), CASES.values(), ids=list(CASES))
def test_case(facts: RolloutFacts, act: Act, code: Code) -> None:
    decision = decide(facts, NOW)
    assert (decision.act, decision.code) == (act, code)
