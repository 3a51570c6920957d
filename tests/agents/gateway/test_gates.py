"""Capability gates, first answers and errors: OP-20 to OP-25."""

from __future__ import annotations

import itertools
import time

import pytest

from accounts.actor import SYSTEM
from agents.actions.offer_settings import offer_settings
from agents.gateway.options import Limits
from agents.opamp import bits
from agents.opamp import opamp_pb2 as pb
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent, full_state
from tests.agents.gateway.helpers import row, status, stored, want, write_now
from tests.agents.gateway.running import Starter
from tests.make.waiting import eventually

BAD = pb.ServerErrorResponseType_BadRequest
OWN = {"destination_endpoint": "https://otlp.example/v1/x"}
EVERY_SETTING = {
    "opamp": {
        "destination_endpoint": "http://127.0.0.1:1/v1/opamp",
        "heartbeat_interval_seconds": 30,
    },
    "own_metrics": OWN,
    "own_traces": OWN,
    "own_logs": OWN,
    "other_connections": {"store": {"destination_endpoint": "store:1"}},
}
GATED_SETTINGS = {
    "own_traces": bits.REPORTS_OWN_TRACES,
    "own_metrics": bits.REPORTS_OWN_METRICS,
    "own_logs": bits.REPORTS_OWN_LOGS,
    "opamp": bits.ACCEPTS_OPAMP_SETTINGS,
    "other_connections": bits.ACCEPTS_OTHER_SETTINGS,
}


def test_op_20_remote_config_needs_its_bit(make_agent: MakeAgent, transport: str) -> None:
    agent = make_agent(transport, capabilities=0xFFFF & ~bits.ACCEPTS_REMOTE_CONFIG)
    agent.begin()
    config_hash = want(agent)
    state = agent.gateway.server.gateway.registry.by_uid[agent.uid]
    eventually(lambda: state.desired_hash == config_hash, "the wish known")
    assert not agent.say().HasField("remote_config")
    agent.capabilities |= bits.ACCEPTS_REMOTE_CONFIG
    eventually(lambda: agent.say().HasField("remote_config"), "the offer")


@pytest.mark.parametrize("name", GATED_SETTINGS)
def test_op_20_each_class_of_settings_needs_its_bit(make_agent: MakeAgent, name: str) -> None:
    agent = make_agent(capabilities=1 | GATED_SETTINGS[name])
    agent.begin()
    offer_settings(agent_ids=[row(agent).pk], settings=EVERY_SETTING, by=SYSTEM)
    offered = agent.pushed().connection_settings
    sent = {field.name for field, _ in offered.ListFields()} - {"hash"}
    assert sent == {name}


def test_op_20_a_heartbeat_alone_may_be_offered_with_its_own_bit(make_agent: MakeAgent) -> None:
    agent = make_agent(capabilities=1 | bits.REPORTS_HEARTBEAT)
    agent.begin()
    offer_settings(agent_ids=[row(agent).pk], settings=EVERY_SETTING, by=SYSTEM)
    opamp = agent.pushed().connection_settings.opamp
    assert opamp == pb.OpAMPConnectionSettings(heartbeat_interval_seconds=30)


def test_op_20_components_are_asked_only_of_those_that_report_them(make_agent: MakeAgent) -> None:
    agent = make_agent(capabilities=1)
    answer = agent.begin(available_components=pb.AvailableComponents(hash=b"h"))
    assert not answer.flags


def test_op_20_parts_without_their_capability_are_ignored(make_agent: MakeAgent) -> None:
    agent = make_agent(capabilities=1)
    agent.begin(
        health=pb.ComponentHealth(healthy=False, last_error="x"),
        package_statuses=pb.PackageStatuses(),
    )
    write_now(agent)
    assert status(agent).healthy is None


def test_op_21_the_first_answer_carries_capabilities(agent: FakeAgent) -> None:
    assert agent.begin().capabilities & bits.SERVER_ACCEPTS_STATUS


def test_op_21_later_answers_on_a_socket_leave_them_out(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    assert agent.say().capabilities == 0
    agent.close()
    agent.connect()
    assert agent.say().capabilities


def test_op_21_only_what_this_server_does_is_announced(agent: FakeAgent) -> None:
    announced = agent.begin().capabilities
    assert announced == (
        pb.ServerCapabilities_AcceptsStatus
        | pb.ServerCapabilities_OffersRemoteConfig
        | pb.ServerCapabilities_AcceptsEffectiveConfig
        | pb.ServerCapabilities_OffersConnectionSettings
    )


def error_only(answer: pb.ServerToAgent) -> bool:
    return {field.name for field, _ in answer.ListFields()} <= {"instance_uid", "error_response"}


def test_op_22_an_error_excludes_everything_else(agent: FakeAgent) -> None:
    agent.connect()
    answer = agent.exchange(pb.AgentToServer(instance_uid=b"short", capabilities=1))
    assert answer.error_response.type == BAD
    assert error_only(answer)


def test_op_22_capabilities_come_with_the_next_answer(make_agent: MakeAgent) -> None:
    agent = make_agent("ws").connect()
    agent.exchange(pb.AgentToServer(instance_uid=b"short"))
    assert agent.say(**full_state()).capabilities


def test_op_23_a_report_that_was_processed_has_no_error(agent: FakeAgent) -> None:
    assert not agent.begin().HasField("error_response")


def test_op_23_an_error_says_what_is_wrong(agent: FakeAgent) -> None:
    agent.connect()
    answer = agent.exchange(pb.AgentToServer(instance_uid=b"x" * 15))
    assert "15 bytes" in answer.error_response.error_message


def test_op_24_one_odd_part_does_not_cost_the_rest(agent: FakeAgent) -> None:
    odd = pb.ComponentHealth(healthy=True, start_time_unix_nano=2**64 - 1, status="s\x00t")
    agent.begin(health=odd)
    assert stored(agent, healthy=True).health_status == "s\ufffdt"
    eventually(lambda: row(agent).name == "edge-1", "the description")


def test_op_25_rubbish_on_a_socket_gets_a_bad_request_and_the_socket_stays(
    make_agent: MakeAgent,
) -> None:
    agent = make_agent("ws").connect()
    agent.ws.send(b"\x00\xff\xff")
    answer = agent.receive()
    assert (answer.instance_uid, answer.error_response.type) == (b"", BAD)
    assert not agent.say(**full_state()).HasField("error_response")


@pytest.mark.parametrize("frame", [b"\x01\x0a", b"\x80" * 12, b"\x00\x0a\x20short", b"\x00\x0c"])
def test_op_25_each_kind_of_bad_frame_is_a_bad_request(make_agent: MakeAgent, frame: bytes) -> None:
    agent = make_agent("ws").connect()
    agent.ws.send(frame)
    assert agent.receive().error_response.type == BAD


def test_op_25_repeated_offences_close_the_socket(make_agent: MakeAgent) -> None:
    agent = make_agent("ws").connect()
    for _ in itertools.repeat(None, 5):
        agent.ws.send(b"\x00\xff\xff")
        agent.receive()
    assert agent.closed_with() == 1008


def test_op_25_offences_far_apart_are_forgiven(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    limits = Limits(bad_messages=2, bad_messages_s=0.5)
    agent = make_agent("ws", at=start_gateway(limits=limits))
    agent.begin()
    for _ in range(4):
        agent.ws.send(b"\x00\xff\xff")
        assert agent.receive().error_response.type == BAD
        time.sleep(limits.bad_messages_s)
    assert not agent.say().HasField("error_response")


def test_op_25_an_undecodable_body_is_a_400(make_agent: MakeAgent) -> None:
    response = make_agent("http").connect().post(b"\xff\xff")
    assert response.status_code == 400
    assert pb.ServerToAgent.FromString(response.content).error_response.type == BAD


def test_op_25_a_wrong_message_that_decodes_is_a_200_with_the_error(
    make_agent: MakeAgent,
) -> None:
    body = pb.AgentToServer(instance_uid=b"short").SerializeToString()
    response = make_agent("http").connect().post(body)
    assert response.status_code == 200
    assert pb.ServerToAgent.FromString(response.content).error_response.type == BAD
