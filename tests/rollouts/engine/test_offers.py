"""What `decide` lets be sent: batches of the current phase, and returning agents of those before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollouts.engine.decide import Act, Code, Decision, assume_approved, decide, sent
from rollouts.engine.facts import Counts, RolloutFacts
from rollouts.engine.sending import SLICE, is_urgent
from rollouts.engine.states import PhaseState, RolloutState
from tests.make.times import NOW
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


SLICES = {"a fleet": (9_000, SLICE), "a large fleet": (100_000, 10_000), "a few": (500, 500)}


@pytest.mark.parametrize(("members", "offer"), SLICES.values(), ids=list(SLICES))
def test_offers_are_made_in_slices(members: int, offer: int) -> None:
    pace = {"max_in_flight": 50_000}
    waiting = phase(1, S.DEPLOYING, Counts(members=members, waiting=members), pace=pace)
    assert decide(rollout(PASSED, waiting, watched=0), NOW).offer == offer
    beginning = replace(waiting, state=S.PENDING)
    assert decide(rollout(PASSED, beginning, watched=0), NOW).offer == max(offer, SLICE)


AFTER_A_SLICE = {
    "more is ready": (
        Counts(members=9000, waiting=7000, offered=2000, outstanding=2000),
        2000,
        0.0,
    ),
    "a part of it was held": (
        Counts(members=9000, waiting=7500, offered=1500, outstanding=1500),
        1500,
        1.0,
    ),
    "no room is left": (
        Counts(members=9000, waiting=4000, offered=5000, outstanding=5000),
        2000,
        1.0,
    ),
    "all is sent": (Counts(members=9000, offered=9000, outstanding=5000, applied=4000), 2000, 1.0),
}


@pytest.mark.parametrize(
    ("counts", "offered", "look_in_s"), AFTER_A_SLICE.values(), ids=list(AFTER_A_SLICE)
)
def test_a_whole_slice_is_followed_by_the_next_at_once_while_there_is_room(
    counts: Counts, offered: int, look_in_s: float
) -> None:
    before = Decision(Act.WAIT, Code.SENDING, 0, offer=2000, look_in_s=1.0)
    sending = phase(state=S.DEPLOYING, counts=counts, pace={"max_in_flight": 5000})
    assert sent(before, rollout(sending), offered).look_in_s == look_in_s


URGENT = {
    "others wait for room": (Counts(members=9000, waiting=1, outstanding=8000, offered=8999), True),
    "many have still to answer": (
        Counts(members=9000, outstanding=8000, offered=9000, applied=1000),
        False,
    ),
    "the last ones": (Counts(members=9000, outstanding=200, offered=9000, applied=8800), True),
}


@pytest.mark.parametrize(("counts", "now"), URGENT.values(), ids=list(URGENT))
def test_an_answer_is_looked_at_at_once_when_something_waits_for_it(
    counts: Counts, now: bool
) -> None:
    assert is_urgent(counts) is now


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


def test_a_phase_begins_with_its_first_batch() -> None:
    ready = phase(1, S.PENDING, Counts(members=900, waiting=900), pace={"max_in_flight": 200})
    decision = decide(rollout(PASSED, ready, watched=0, gateways=2), NOW)
    assert (decision.act, decision.offer) == (Act.START_PHASE, 400)


SENT = {
    "more is ready": (Counts(members=9, waiting=4, offered=5, outstanding=5), "", Code.SENDING),
    "a budget holds": (Counts(members=9, waiting=4, offered=5, outstanding=5), "eu", Code.BUDGET),
    "all is sent": (Counts(members=9, offered=9, outstanding=9), "", Code.CONFIRMING),
    "all run it already": (Counts(members=9, offered=9, applied=9), "", Code.SENDING),
}


@pytest.mark.parametrize(("counts", "note", "code"), SENT.values(), ids=list(SENT))
def test_what_was_sent_is_an_input_of_the_line_not_of_another_decision(
    counts: Counts, note: str, code: Code
) -> None:
    before = Decision(Act.WAIT, Code.SENDING, 0, offer=5)
    facts = rollout(phase(state=S.DEPLOYING, counts=counts), budget_note=note)
    after = sent(before, facts, 5)
    assert after.code is code
    assert (after.look_in_s == 0.0) is not bool(counts.ready or counts.outstanding)


def test_agents_that_are_caught_up_change_nothing_of_what_is_said() -> None:
    before = Decision(Act.WAIT, Code.OBSERVING, 0, catch_up=True)
    assert sent(before, rollout(budget_note="eu"), 5) is before


def test_a_yes_is_decided_on_the_facts_of_the_question() -> None:
    asked = second(S.AWAITING_APPROVAL, approval=WAITING)
    assert decide(asked, NOW).act is Act.WAIT
    assert decide(assume_approved(asked, 1), NOW).act is Act.START_PHASE
    red = replace(asked, gates=(WARNING,))
    assert decide(assume_approved(red, 1), NOW).act is Act.WITHDRAW
