"""What is owed after refused messages, as the session logic sees it (OP-15)."""

from __future__ import annotations

import pytest

from agents.opamp.scan import Report
from agents.opamp.server_facts import ServerFacts
from agents.opamp.session import handle
from agents.opamp.state import AgentState

UID = b"u" * 16
FACTS = ServerFacts(new_uid=lambda: UID, config_parts={})


@pytest.fixture
def agent() -> AgentState:
    """An agent that has said its second message."""
    agent = AgentState(UID, 1)
    agent.known, agent.sequence_num = True, 1
    return agent


def say(agent: AgentState, number: int) -> None:
    """Have the agent's message of this number handled; the number is its hash, too."""
    report = Report()
    report.uid, report.sequence_num = UID, number
    handle(agent, report, FACTS, 1000.0, raw_hash=number)


def test_the_same_message_again_ends_the_debt(agent: AgentState) -> None:
    agent.miss(2)
    agent.miss(2)
    say(agent, 2)
    assert (agent.full_owed, agent.missed) == (False, False)


def test_another_message_in_its_place_leaves_the_debt(agent: AgentState) -> None:
    agent.miss(99)
    say(agent, 2)
    assert agent.full_owed


def test_a_message_nobody_could_name_leaves_the_debt(agent: AgentState) -> None:
    agent.miss(None)
    agent.miss(2)
    say(agent, 2)
    assert agent.full_owed


def test_a_gap_before_the_refusal_leaves_the_debt(agent: AgentState) -> None:
    say(agent, 5)
    agent.miss(6)
    say(agent, 6)
    assert agent.full_owed


def test_a_gap_between_two_refusals_leaves_the_debt(agent: AgentState) -> None:
    # Asked a moment ago, so not again now.
    agent.full_asked_at = 999.0
    agent.miss(2)
    say(agent, 5)
    agent.miss(6)
    say(agent, 6)
    assert agent.full_owed
