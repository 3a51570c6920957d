"""Sequence numbers, full state, compression of status: OP-15 to OP-19."""

from __future__ import annotations

from agents.models import AgentBody
from agents.opamp import opamp_pb2 as pb
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent, full_state
from tests.agents.gateway.helpers import row, status, stored, want
from tests.agents.gateway.running import Starter
from tests.make.waiting import eventually

FULL = pb.ServerToAgentFlags_ReportFullState


def asks_full(answer: pb.ServerToAgent) -> bool:
    return bool(answer.flags & FULL)


def health_components(agent: FakeAgent) -> list[str]:
    body = AgentBody.objects.filter(agent=row(agent), part="health").first()
    return sorted(body.body["components"]) if body is not None else []


def test_op_15_a_gap_asks_for_the_full_state(agent: FakeAgent) -> None:
    agent.begin()
    agent.say()
    assert asks_full(agent.say(seq=3))


def test_op_15_consecutive_numbers_ask_for_nothing(agent: FakeAgent) -> None:
    assert not asks_full(agent.begin())
    assert not asks_full(agent.say())


def test_op_15_an_unknown_agent_without_description_is_asked(agent: FakeAgent) -> None:
    agent.connect()
    assert asks_full(agent.say())


def test_op_15_a_full_first_report_is_enough(agent: FakeAgent) -> None:
    assert not asks_full(agent.begin())


def test_op_16_a_restart_with_a_full_report_is_no_gap(agent: FakeAgent) -> None:
    agent.begin()
    agent.say(seq=40, health=pb.ComponentHealth(healthy=True))
    assert not asks_full(agent.say(seq=0, **full_state()))
    kinds = eventually(lambda: list(row(agent).events.filter(kind="restarted")))
    assert kinds[0].details == {"sequence_num": 40}


def test_op_16_the_answer_to_our_own_request_is_not_asked_again(agent: FakeAgent) -> None:
    agent.begin()
    assert asks_full(agent.say(seq=9))
    incomplete = {"agent_description": full_state()["agent_description"]}
    assert not asks_full(agent.say(seq=12, **incomplete))
    assert not asks_full(agent.say())


def test_op_16_a_repeated_number_is_asked_about_once(agent: FakeAgent) -> None:
    agent.begin()
    assert asks_full(agent.say(seq=0, health=pb.ComponentHealth(healthy=False, last_error="x")))
    assert not asks_full(agent.say(seq=1, **full_state()))
    assert not asks_full(agent.say(seq=1, remote_config_status=pb.RemoteConfigStatus()))


def test_op_17_a_part_replaces_the_old_one_completely(agent: FakeAgent) -> None:
    three = {name: pb.ComponentHealth(healthy=True) for name in "abc"}
    agent.begin(health=pb.ComponentHealth(healthy=True, component_health_map=three))
    agent.say(
        health=pb.ComponentHealth(
            healthy=True, component_health_map={"a": pb.ComponentHealth(healthy=True)}
        )
    )
    eventually(lambda: health_components(agent) == ["a"], "one component left")
    agent.say()
    assert health_components(agent) == ["a"]


def test_op_18_a_reconnect_carries_on_without_a_full_report(agent: FakeAgent) -> None:
    agent.begin()
    agent.say()
    agent.close()
    agent.connect()
    answer = agent.say()
    assert not asks_full(answer)
    eventually(lambda: row(agent).name == "edge-1", "the description")


def test_op_18_another_gateway_carries_on_too(
    make_agent: MakeAgent, start_gateway: Starter, transport: str
) -> None:
    agent = make_agent(transport)
    agent.begin()
    agent.say()
    if transport == "ws":
        agent.close()
        stored(agent, connected=False, sequence_num=1)
    else:
        stored(agent, sequence_num=1)
    other = start_gateway()
    agent.gateway = other
    agent.connect()
    assert not asks_full(agent.say())


def test_op_18_what_was_known_survives_a_restart_of_the_gateway(
    make_agent: MakeAgent, start_gateway: Starter, transport: str
) -> None:
    first = start_gateway()
    agent = make_agent(transport, at=first)
    agent.begin()
    agent.say()
    first.stop()
    agent.gateway = start_gateway()
    agent.connect()
    assert not asks_full(agent.say())
    assert status(agent).healthy is True


def test_op_19_a_changed_capability_is_in_force_for_the_next_answer(agent: FakeAgent) -> None:
    agent.begin()
    agent.capabilities &= ~pb.AgentCapabilities_AcceptsRemoteConfig
    agent.say()
    config_hash = want(agent)
    state = agent.gateway.server.gateway.registry.by_uid[agent.uid]
    eventually(lambda: state.desired_hash == config_hash, "the gateway knows the wish")
    assert not agent.say().HasField("remote_config")
    agent.capabilities |= pb.AgentCapabilities_AcceptsRemoteConfig
    assert agent.say().remote_config.config_hash.hex() == config_hash
    agent.capabilities &= ~pb.AgentCapabilities_AcceptsRemoteConfig
    agent.say()
    eventually(lambda: row(agent).capabilities == agent.capabilities, "capabilities stored")


def test_op_19_a_bare_uid_is_a_sign_of_life_and_nothing_else(agent: FakeAgent) -> None:
    agent.begin()
    agent.say()
    answer = agent.exchange(pb.AgentToServer(instance_uid=agent.uid))
    assert not asks_full(answer)
    assert not asks_full(agent.say())
    eventually(lambda: row(agent).capabilities == agent.capabilities, "the capabilities")
