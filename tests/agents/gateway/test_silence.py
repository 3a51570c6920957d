"""Silence is noticed whatever was promised: pings over a WebSocket, polls over HTTP (OP-36)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.gateway.options import Intervals
from agents.models import Session
from agents.opamp import bits
from agents.opamp import opamp_pb2 as pb
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import SUPERVISOR, FakeAgent
from tests.agents.gateway.helpers import row, stored
from tests.agents.gateway.running import QUICK, Starter
from tests.make.waiting import eventually

NO_HEARTBEAT = SUPERVISOR & ~bits.REPORTS_HEARTBEAT
WATCHFUL = replace(QUICK, sweep_s=0.05, ping_s=0.2, silence_s=1.0)


def last_session(agent: FakeAgent) -> Session:
    found = Session.objects.filter(agent=row(agent)).order_by("-connected_at").first()
    assert found is not None
    return found


def fall_silent(agent: FakeAgent) -> None:
    """Answer nothing any more, pings neither, and keep the connection open."""
    agent.ws.protocol.receive_data = lambda data: None  # type: ignore[method-assign]


def test_silence_is_noticed_within_three_minutes_by_default() -> None:
    intervals = Intervals()
    assert intervals.silence_s + 2 * intervals.sweep_s < 180
    assert intervals.ping_s + 2 * intervals.sweep_s < intervals.silence_s


def test_one_that_promised_nothing_and_answers_pings_stays(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    agent = make_agent("ws", at=start_gateway(intervals=WATCHFUL), capabilities=NO_HEARTBEAT)
    agent.begin()
    stored(agent, connected=True)
    state = agent.gateway.server.gateway.registry.by_uid[agent.uid]
    first = state.last_seen
    eventually(lambda: state.last_seen > first + 2 * WATCHFUL.silence_s, "pongs count")
    assert stored(agent, connected=True, sequence_num=0).no_word_since is None


@pytest.mark.parametrize("capabilities", [NO_HEARTBEAT, SUPERVISOR])
def test_one_that_answers_no_ping_is_ended_whatever_it_promised(
    start_gateway: Starter, make_agent: MakeAgent, capabilities: int
) -> None:
    hourly = replace(WATCHFUL, heartbeat_s=3600.0)
    agent = make_agent("ws", at=start_gateway(intervals=hourly), capabilities=capabilities)
    agent.begin()
    stored(agent, connected=True)
    fall_silent(agent)
    gone = stored(agent, connected=False)
    assert last_session(agent).reason == "silent"
    assert gone.no_word_since == gone.last_seen_at


def test_one_whose_heartbeats_stop_is_not_saved_by_its_pongs(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    beating = replace(WATCHFUL, heartbeat_s=0.2)
    agent = make_agent("ws", at=start_gateway(intervals=beating), capabilities=SUPERVISOR)
    agent.begin()
    stored(agent, connected=False)
    assert last_session(agent).reason == "silent"


def test_one_that_polls_is_missed_after_three_polls(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    polling = replace(WATCHFUL, http_poll_s=0.2)
    agent = make_agent("http", at=start_gateway(intervals=polling), capabilities=NO_HEARTBEAT)
    agent.begin()
    gone = stored(agent, connected=False)
    assert gone.no_word_since == gone.last_seen_at


def test_one_that_said_goodbye_is_offline_and_not_silent(agent: FakeAgent) -> None:
    agent.begin()
    agent.say(agent_disconnect=pb.AgentDisconnect())
    assert stored(agent, connected=False).no_word_since is None


def test_one_that_comes_back_has_a_word_again(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    agent = make_agent("ws", at=start_gateway(intervals=WATCHFUL), capabilities=NO_HEARTBEAT)
    agent.begin()
    fall_silent(agent)
    stored(agent, connected=False)
    agent.close()
    agent.begin()
    assert stored(agent, connected=True).no_word_since is None
