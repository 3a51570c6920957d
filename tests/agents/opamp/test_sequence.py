"""What is owed after a message in turn or out of turn, by what it brings (OP-15, OP-16)."""

from __future__ import annotations

from itertools import product

import pytest

from agents.opamp import bits, scan
from agents.opamp.opamp_pb2 import AgentDescription, ComponentHealth
from agents.opamp.scan import Report
from agents.opamp.sequence import IN_TURN, OUT_OF_TURN, Brings, Debt
from agents.opamp.server_facts import ServerFacts
from agents.opamp.session import handle
from agents.opamp.state import AgentState

UID = b"u" * 16
FACTS = ServerFacts(new_uid=lambda: UID, config_parts={})
NOTHING: dict[int, bytes] = {}
DESCRIPTION = {scan.DESCRIPTION: AgentDescription().SerializeToString()}
ALL = {**DESCRIPTION, scan.HEALTH: ComponentHealth(healthy=True).SerializeToString()}
NEXT, LATER, ANEW = 41, 50, 0


def owes(agent: AgentState, number: int, parts: dict[int, bytes]) -> bool:
    """Have a message of an agent that reports its health handled; say whether more is owed."""
    report = Report()
    report.uid, report.sequence_num, report.parts = UID, number, parts
    report.capabilities = bits.REPORTS_STATUS | bits.REPORTS_HEALTH
    # Asked a moment ago, so that the answer does not ask at once and the debt is seen.
    agent.full_asked_at = 999.0
    handle(agent, report, FACTS, 1000.0, raw_hash=number)
    return agent.full_owed


def known() -> AgentState:
    agent = AgentState(UID, 1)
    agent.known, agent.sequence_num = True, 40
    return agent


@pytest.mark.parametrize(
    ("number", "parts", "owed"),
    [
        (NEXT, NOTHING, False),
        (LATER, NOTHING, True),
        (LATER, DESCRIPTION, True),
        (LATER, ALL, False),
        (ANEW, NOTHING, True),
        (ANEW, DESCRIPTION, False),
    ],
)
def test_who_owes_nothing_owes_after_a_gap_that_nothing_fills(
    number: int, parts: dict[int, bytes], owed: bool
) -> None:
    assert owes(known(), number, parts) is owed


@pytest.mark.parametrize("number", [NEXT, LATER])
def test_who_was_asked_has_paid_with_any_description(number: int) -> None:
    for parts, owed in ((NOTHING, True), (DESCRIPTION, False), (ALL, False)):
        agent = known()
        agent.full_owed = True
        assert owes(agent, number, parts) is owed


@pytest.mark.parametrize("number", [NEXT, LATER])
def test_a_refused_message_is_made_up_for_by_all_parts_only(number: int) -> None:
    for parts, owed in ((NOTHING, True), (DESCRIPTION, True), (ALL, False)):
        agent = known()
        agent.miss(99)
        assert owes(agent, number, parts) is owed


def test_a_new_process_owes_nothing_of_the_old_one() -> None:
    agent = known()
    agent.miss(99)
    assert not owes(agent, ANEW, DESCRIPTION)


def test_an_unknown_agent_owes_until_it_describes_itself() -> None:
    agent = AgentState(UID, 1)
    assert owes(agent, 1, NOTHING)
    assert not owes(agent, 2, DESCRIPTION)


def test_every_case_is_decided() -> None:
    assert IN_TURN.keys() == set(product(Debt, Brings))
    assert OUT_OF_TURN.keys() == set(product(Debt, set(Brings) - {Brings.NEW_PROCESS}))
