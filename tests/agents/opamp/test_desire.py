"""A new wish meets what the agent last said (interop.md section 2: a repeated status is suppressed)."""

from __future__ import annotations

import pytest

from agents.opamp import bits
from agents.opamp.answer import wants_config
from agents.opamp.config_words import take_config_status
from agents.opamp.desire import Wish, take_wish
from agents.opamp.opamp_pb2 import RemoteConfigStatus, RemoteConfigStatuses
from agents.opamp.opamp_pb2 import RemoteConfigStatuses_APPLIED as APPLIED
from agents.opamp.opamp_pb2 import RemoteConfigStatuses_APPLYING as APPLYING
from agents.opamp.opamp_pb2 import RemoteConfigStatuses_FAILED as FAILED
from agents.opamp.state import AgentState, Word

HASH = "ab" * 32
NEW = "cd" * 32


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


def status(config_hash: str, word: RemoteConfigStatuses) -> RemoteConfigStatus:
    return RemoteConfigStatus(last_remote_config_hash=bytes.fromhex(config_hash), status=word)


def agent_with_another_under_way() -> AgentState:
    """It runs HASH, and was sent NEW a moment ago."""
    agent = agent_that_said(APPLIED)
    agent.running_hash = HASH
    agent.desired_hash, agent.open_hash = NEW, NEW
    agent.offered_hash, agent.under_way = NEW, (NEW,)
    return agent


def test_what_an_agent_said_before_does_not_settle_while_another_config_is_under_way() -> None:
    agent = agent_with_another_under_way()

    assert take_wish(agent, wish(), now=5.0)

    assert agent.changes is None
    assert agent.must_send
    assert agent.full_owed


def test_a_config_applied_after_it_was_overtaken_is_no_fall_back() -> None:
    """Seen with 10,000 agents: 76 said so after the way back had begun, and were left behind."""
    agent = agent_with_another_under_way()
    take_wish(agent, wish(), now=5.0)

    take_config_status(agent, status(NEW, APPLYING), 5.1)
    take_config_status(agent, status(NEW, APPLIED), 5.2)

    assert not agent.change().fallen
    assert not agent.refused
    assert agent.under_way == ()
    assert wants_config(agent, 5.3)
    take_config_status(agent, status(HASH, APPLIED), 6.0)
    assert agent.change().deliveries[HASH].outcome is Word.APPLIED


def test_it_is_one_once_the_agent_has_answered_what_came_after() -> None:
    agent = agent_with_another_under_way()
    take_wish(agent, wish(), now=5.0)
    agent.under_way = (NEW, HASH)
    take_config_status(agent, status(NEW, APPLIED), 5.1)
    take_config_status(agent, status(HASH, APPLIED), 5.2)

    take_config_status(agent, status(NEW, APPLIED), 60.0)

    assert agent.change().fallen == {HASH: NEW}
    assert agent.refused


def test_what_another_gateway_sent_and_nobody_answered_is_under_way() -> None:
    agent = agent_that_said(APPLIED)
    agent.running_hash = HASH

    assert take_wish(agent, Wish(1, HASH, 1, False, HASH, True, overtaken=NEW), now=5.0)
    take_config_status(agent, status(NEW, APPLIED), 5.2)

    assert not agent.change().fallen
