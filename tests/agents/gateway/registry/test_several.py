"""Several gateways for one fleet: moves, kills, restarts."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from agents.models import AgentStatus, Delivery, GatewayLease, Session
from agents.opamp import opamp_pb2 as pb
from agents.opamp.wire import encode
from agents.reconcile import end_dead_gateways
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent, config_status, full_state
from tests.agents.gateway.helpers import delivery, push, row, status, stored, want, write_now
from tests.agents.gateway.running import QUICK, RunningGateway, Starter
from tests.agents.gateway.sockets.raw_socket import open_raw, send_frame
from tests.make.waiting import eventually

APPLIED = pb.RemoteConfigStatuses_APPLIED


def gateway_id(gateway: RunningGateway) -> uuid.UUID:
    return gateway.server.gateway.id


def move(agent: FakeAgent, to: RunningGateway) -> None:
    agent.close()
    agent.gateway = to
    agent.connect()


def test_an_agent_that_moves_is_shown_once_and_where_it_is(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    first, second = start_gateway(), start_gateway()
    agent = make_agent(transport, at=first)
    agent.begin()
    stored(agent, connected=True)
    move(agent, second)
    agent.say()
    assert stored(agent, gateway_id=gateway_id(second)).connected
    assert Session.objects.filter(disconnected_at=None).count() <= 1


def test_the_old_gateway_never_marks_a_moved_agent_offline(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    first, second = start_gateway(), start_gateway()
    agent = make_agent("ws")
    with open_raw(first) as raw:
        send_frame(raw, encode(agent.message(**full_state())))
        stored(agent, gateway_id=gateway_id(first))
        agent.gateway = second
        agent.connect()
        agent.say()
        stored(agent, gateway_id=gateway_id(second))
        registry = first.server.gateway.registry
        eventually(
            lambda: agent.uid not in registry.by_uid, "the first gateway forgets it", timeout_s=12.0
        )
    first.stop()
    assert status(agent).connected
    assert agent.say().instance_uid == agent.uid


def test_a_gateway_that_has_not_noticed_the_move_does_not_mark_the_agent_offline(
    start_gateway: Starter, make_agent: MakeAgent, settings: Any
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # nobody tells it
    first = start_gateway(intervals=replace(QUICK, last_seen_s=600.0, probe_s=600.0))
    second = start_gateway()
    agent = make_agent("ws", at=second)
    with open_raw(first) as raw:
        send_frame(raw, encode(agent.message(**full_state())))
        # All is written that the first one has to write: it would find out by that.
        stored(agent, gateway_id=gateway_id(first), healthy=True)
        agent.connect()
        agent.say()
        stored(agent, gateway_id=gateway_id(second))
        write_now(agent)  # or the second's own word would hide what the first one writes
        assert agent.uid in first.server.gateway.registry.by_uid
    # The old socket is gone now, and the first gateway writes that its agent has left.
    registry = first.server.gateway.registry
    eventually(lambda: agent.uid not in registry.by_uid, "the first gateway forgets it")
    assert status(agent).connected
    assert status(agent).gateway_id == gateway_id(second)


def test_a_config_is_not_sent_twice_by_two_gateways(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    first, second = start_gateway(), start_gateway()
    agent = make_agent("ws", at=first)
    agent.begin()
    config_hash = want(agent)
    assert agent.receive().HasField("remote_config")
    agent.say(remote_config_status=config_status(config_hash, APPLIED))
    stored(agent, running_hash=config_hash)
    move(agent, second)
    assert not agent.say().HasField("remote_config")
    assert agent.hears_nothing(0.8)


def test_a_push_reaches_agents_of_every_gateway(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    agents = [make_agent("ws", at=start_gateway()) for _ in range(2)]
    for agent in agents:
        agent.begin()
    config_hash = want(*agents)
    got = {agent.receive().remote_config.config_hash.hex() for agent in agents}
    assert got == {config_hash}


def test_two_agents_with_one_uid_on_two_gateways_end_as_two(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    first, second = start_gateway(), start_gateway()
    one = make_agent("ws", at=first)
    two = make_agent("ws", at=second, uid=one.uid)
    one.begin()
    eventually(Session.objects.exists)
    answer = two.begin()
    # How soon they are told apart depends on what is written by then.
    for closed in itertools.islice(itertools.cycle((one, two)), 6):
        if answer.HasField("agent_identification"):
            break
        assert closed.closed_with() == 1000
        closed.close()
        closed.connect()
        answer = closed.say(**full_state())
    assert answer.HasField("agent_identification")
    eventually(row(one).events.filter(kind="duplicate").exists, "the event")


def test_an_agent_whose_gateways_are_killed_one_after_the_other_stays_one(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    gateway = start_gateway()
    agent = make_agent("ws", at=gateway)
    agent.begin()
    for _ in range(5):
        eventually(Session.objects.filter(gateway_id=gateway.server.gateway.id).exists)
        gateway.kill()
        gateway = start_gateway()
        agent.gateway = gateway
        agent.connect()
        assert not agent.say(**full_state()).HasField("agent_identification")
    assert not row(agent).events.filter(kind="duplicate").exists()


def test_a_rolling_restart_loses_no_status(start_gateway: Starter, make_agent: MakeAgent) -> None:
    first, second = start_gateway(), start_gateway()
    agents = [make_agent("ws", at=first) for _ in range(4)]
    for agent in agents:
        agent.begin()
    config_hash = want(*agents)
    for agent in agents:
        agent.receive()
        agent.say(remote_config_status=config_status(config_hash, APPLIED))
    first.stop(drain_s=0.3)
    for agent in agents:
        assert agent.closed_with() == 1012
        move(agent, second)
        assert agent.say().flags == 0
    assert Delivery.objects.filter(state="applied").count() == 4
    running = AgentStatus.objects.filter(connected=True, running_hash=config_hash)
    eventually(lambda: running.count() == 4, "all are shown connected")


def test_agents_of_a_killed_gateway_are_shown_offline_and_are_right_again(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    first = start_gateway()
    agent = make_agent("ws", at=first)
    agent.begin()
    config_hash = want(agent)
    agent.receive()
    stored(agent, connected=True)
    first.kill()
    later = datetime.now(UTC) + GatewayLease.LIFE + timedelta(seconds=1)
    assert end_dead_gateways(later) == 1
    assert not status(agent).connected
    move(agent, start_gateway())
    answer = agent.say(**full_state())
    assert answer.remote_config.config_hash.hex() == config_hash
    agent.say(remote_config_status=config_status(config_hash, APPLIED))
    delivery(agent, state="applied")
    assert status(agent).connected


def test_what_was_not_written_before_a_kill_is_asked_for(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    # The walk that notes when agents were last heard would write what is to be lost.
    first = start_gateway(intervals=replace(QUICK, last_seen_s=600.0))
    agent = make_agent("ws", at=first)
    agent.begin()
    write_now(agent)
    for _ in range(3):
        agent.say()
    first.kill()
    move(agent, start_gateway())
    assert agent.say().flags & pb.ServerToAgentFlags_ReportFullState


def test_a_gateway_that_was_thought_dead_takes_its_agents_back(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    gateway = start_gateway()
    agent = make_agent("ws", at=gateway)
    agent.begin()
    stored(agent, connected=True)
    eventually(Session.objects.exists)
    end_dead_gateways(datetime.now(UTC) + timedelta(minutes=1))
    stored(agent, connected=True)
    eventually(Session.objects.filter(disconnected_at=None).first)


def test_an_agent_joining_during_a_push_gets_what_was_pushed(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    gateway = start_gateway()
    agents = [make_agent("ws", at=gateway) for _ in range(10)]
    for agent in agents:
        agent.begin()
        agent.close()
    config_hash = want(*agents)
    got = []
    for number, agent in enumerate(agents):
        if number == 5:
            push(*agents, config_hash=config_hash)
        agent.connect()
        answer = agent.say()
        got.append(answer.HasField("remote_config") or agent.receive().HasField("remote_config"))
    assert all(got)
