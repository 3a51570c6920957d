"""A new wish meets what the agent last said (interop.md section 2: a repeated status is suppressed)."""

from __future__ import annotations

import pytest

from agents.opamp import bits
from agents.opamp.desire import Wish, take_wish
from agents.opamp.opamp_pb2 import RemoteConfigStatuses_APPLIED as APPLIED
from agents.opamp.opamp_pb2 import RemoteConfigStatuses_FAILED as FAILED
from agents.opamp.state import AgentState, Word

HASH = "ab" * 32


def agent_that_said(status: int, config_hash: str = HASH) -> AgentState:
    agent = AgentState(bytes(16), 1)
    agent.capabilities = bits.ACCEPTS_REMOTE_CONFIG | bits.REPORTS_REMOTE_CONFIG
    agent.config_hash, agent.config_status = config_hash, status
    return agent


def wish(change: int = 1) -> Wish:
    return Wish(1, HASH, change, refused=False, open_hash=HASH, unsent=True)


def test_a_hash_reported_as_applied_settles_its_delivery_without_being_sent() -> None:
    """Also when the status is not stored yet, so that who made the delivery could not know it."""
    agent = agent_that_said(APPLIED)

    assert not take_wish(agent, wish(), now=5.0)

    fact = agent.change().deliveries[HASH]
    assert (fact.outcome, fact.settled_at, fact.sent_at) == (Word.APPLIED, 5.0, None)
    assert not agent.must_send


@pytest.mark.parametrize(
    "agent", [agent_that_said(FAILED), agent_that_said(APPLIED, "cd" * 32)], ids=["failed", "other"]
)
def test_any_other_word_does_not(agent: AgentState) -> None:
    assert take_wish(agent, wish(), now=5.0)
    assert agent.changes is None


def test_an_older_wish_changes_nothing() -> None:
    agent = agent_that_said(APPLIED, "cd" * 32)
    take_wish(agent, wish(change=2), now=5.0)
    agent.must_send = False

    assert not take_wish(agent, Wish(1, "ef" * 32, 1, False, "ef" * 32, True), now=6.0)

    assert agent.desired_hash == HASH
