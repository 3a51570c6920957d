"""What `decide` lets be sent: batches of the current phase, and returning agents of those before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollouts.engine.decide import Act, decide
from rollouts.engine.facts import Counts, RolloutFacts
from rollouts.engine.states import PhaseState, RolloutState
from tests.factories import NOW
from tests.rollouts.engine.facts import FAIL, PASS, WARNING, phase, rollout
from tests.rollouts.engine.test_decide import PASSED, PENDING, SENDING, WAITING, second

S, R = PhaseState, RolloutState


def test_a_batch_is_what_may_be_in_flight_less_what_is() -> None:
    counts = Counts(members=500, waiting=400, offered=100, outstanding=80, applied=20)
    sending = phase(state=S.DEPLOYING, counts=counts, pace={"max_in_flight": 200})
    decision = decide(rollout(sending), NOW)
    assert decision.offer == 200 - 80


def test_each_gateway_adds_its_own_room() -> None:
    counts = Counts(members=5000, waiting=5000)
    sending = phase(state=S.DEPLOYING, counts=counts, pace={"max_in_flight": 200})
    decision = decide(rollout(sending, gateways=3), NOW)
    assert decision.offer == 600


def test_a_batch_is_never_larger_than_what_is_online() -> None:
    counts = Counts(members=10, waiting=10, offline=4)
    decision = decide(rollout(phase(state=S.DEPLOYING, counts=counts)), NOW)
    assert decision.offer == 6


def test_nothing_is_sent_while_a_rollout_is_paused() -> None:
    facts = rollout(phase(state=S.DEPLOYING, counts=SENDING), state=R.PAUSED)
    decision = decide(facts, NOW)
    assert (decision.offer, decision.catch_up) == (0, False)


BAKING = rollout(PASSED, phase(1, S.PASSED), state=R.COMPLETING)
RETURNING = {
    "observing": (rollout(gates=(PASS,)), True),
    "observing but amber": (rollout(gates=(WARNING,)), False),
    "baking": (BAKING, True),
    "baking but amber": (replace(BAKING, gates=(WARNING,)), False),
    "an approval waits": (second(S.AWAITING_APPROVAL, approval=WAITING), True),
    "too many are away": (
        rollout(phase(state=S.DEPLOYING, counts=Counts(10, 3, 7, 0, applied=7, offline=3))),
        True,
    ),
}


@pytest.mark.parametrize(("facts", "may"), RETURNING.values(), ids=list(RETURNING))
def test_returning_agents_are_caught_up_unless_a_gate_is_amber(
    facts: RolloutFacts, may: bool
) -> None:
    assert decide(facts, NOW).catch_up is may


def test_a_criterion_that_a_person_advanced_past_does_not_hold_the_next_phase() -> None:
    facts = rollout(
        replace(PASSED, advanced_by="lin"), phase(1, S.PENDING, PENDING), watched=0, gates=(FAIL,)
    )
    assert decide(facts, NOW).act is Act.START_PHASE
