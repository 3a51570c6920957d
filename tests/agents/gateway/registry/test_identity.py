"""uids, renames, duplicates, proxies: OP-04 to OP-07, OP-10, OP-46, OP-47, OP-59, OP-60."""

from __future__ import annotations

import uuid

import pytest
from django.db.models import Q

from accounts.actor import SYSTEM
from agents.actions.command import rename
from agents.actions.tokens import issue_token
from agents.models import Agent, AgentAlias
from agents.opamp import opamp_pb2 as pb
from agents.opamp.anyvalue_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from agents.opamp.wire import encode
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent, description, full_state
from tests.agents.gateway.helpers import row, stored, want
from tests.agents.gateway.running import Starter
from tests.agents.gateway.sockets.raw_socket import open_raw, send_frame
from tests.make.waiting import eventually

BAD = pb.ServerErrorResponseType_BadRequest
REQUEST_UID = pb.AgentToServerFlags_RequestInstanceUid


@pytest.mark.parametrize("size", [0, 8, 15, 17, 26])
def test_op_04_a_uid_of_another_length_is_a_bad_request(agent: FakeAgent, size: int) -> None:
    agent.connect()
    message = pb.AgentToServer(instance_uid=b"x" * size, capabilities=1, sequence_num=1)
    assert agent.exchange(message).error_response.type == BAD
    assert not Agent.objects.exists()


def test_op_04_any_16_bytes_are_accepted(agent: FakeAgent) -> None:
    agent.uid = bytes(range(240, 256))
    assert not agent.begin().HasField("error_response")


def test_op_05_two_live_sockets_with_one_uid_end_as_two_agents(make_agent: MakeAgent) -> None:
    old = make_agent("ws")
    old.begin(agent_description=description(host_name="a"))
    new = make_agent("ws", uid=old.uid)
    new.begin(agent_description=description(host_name="b"))
    told = new.receive()
    assert told.instance_uid == old.uid
    fresh = told.agent_identification.new_instance_uid
    assert len(fresh) == 16
    new.uid = fresh
    new.say(**full_state(agent_description=description(host_name="b")))
    eventually(lambda: row(new).name == "b", "the second agent")
    old.say(**full_state(agent_description=description(host_name="a")))
    eventually(lambda: row(old).name == "a", "the first agent")
    assert not old.say().HasField("agent_identification")


def test_op_05_both_addresses_of_a_duplicate_are_shown(make_agent: MakeAgent) -> None:
    old = make_agent("ws")
    old.begin()
    new = make_agent("ws", uid=old.uid)
    new.begin()
    new.receive()
    event = eventually(lambda: row(old).events.filter(kind="duplicate").first())
    assert event.details["address"] != event.details["other_address"]


def test_op_05_a_fast_reconnect_is_no_duplicate(make_agent: MakeAgent) -> None:
    old = make_agent("ws")
    old.begin()
    old.ws.socket.shutdown(2)
    again = make_agent("ws", uid=old.uid)
    again.connect()
    again.sequence_num = old.sequence_num
    again.say()
    assert again.hears_nothing(1.0)
    eventually(lambda: row(again).sessions.count() == 2, "both sessions")


def test_op_05_two_pollers_with_one_uid_end_as_two_agents(make_agent: MakeAgent) -> None:
    old = make_agent("http")
    new = make_agent("http", uid=old.uid)
    old.begin(agent_description=description(host_name="a"))
    new.begin(agent_description=description(host_name="b"))
    answers = [
        agent.say(seq=seq, agent_description=description(host_name=name))
        for seq in range(1, 4)
        for agent, name in ((old, "a"), (new, "b"))
    ]
    renamed = [a for a in answers if a.HasField("agent_identification")]
    assert len({a.agent_identification.new_instance_uid for a in renamed}) == 1


def test_op_06_a_temporary_uid_is_replaced_and_asked_again_the_same(agent: FakeAgent) -> None:
    agent.connect()
    first = agent.say(flags=REQUEST_UID, **full_state())
    again = agent.say(flags=REQUEST_UID, **full_state())
    fresh = first.agent_identification.new_instance_uid
    assert uuid.UUID(bytes=fresh).version == 7
    assert again.agent_identification.new_instance_uid == fresh
    assert Agent.objects.count() == 1


def test_op_07_a_renamed_agent_is_the_same_agent(agent: FakeAgent) -> None:
    agent.connect()
    old_uid = agent.uid
    told = agent.say(flags=REQUEST_UID, **full_state())
    before = row(agent).pk
    agent.uid = told.agent_identification.new_instance_uid
    answer = agent.say()
    assert (answer.instance_uid, answer.flags) == (agent.uid, 0)
    assert row(agent).pk == before
    assert AgentAlias.objects.get().instance_uid == uuid.UUID(bytes=old_uid)
    assert Agent.objects.count() == 1


def test_op_07_a_rename_by_an_operator_survives_a_reconnect(agent: FakeAgent) -> None:
    agent.begin()
    stored(agent, connected=True)
    rename(agent_id=row(agent).pk, by=SYSTEM, reason="copied image")
    told = agent.pushed()
    before = row(agent).pk
    agent.close()
    agent.uid = told.agent_identification.new_instance_uid
    eventually(AgentAlias.objects.exists)
    agent.connect()
    assert agent.say().flags == 0
    assert row(agent).pk == before


def test_op_07_an_agent_that_ignores_its_new_uid_is_still_served(agent: FakeAgent) -> None:
    agent.connect()
    agent.say(flags=REQUEST_UID, **full_state())
    config_hash = want(agent)
    assert agent.pushed().remote_config.config_hash.hex() == config_hash
    assert Agent.objects.count() == 1


def test_op_07_assignments_move_with_the_rename(agent: FakeAgent) -> None:
    agent.connect()
    told = agent.say(flags=REQUEST_UID, **full_state())
    stored(agent, connected=True)
    old = agent.uid
    agent.uid = told.agent_identification.new_instance_uid
    agent.say()
    config_hash = want(agent)
    assert agent.pushed().remote_config.config_hash.hex() == config_hash
    gone = Agent.objects.filter(instance_uid=uuid.UUID(bytes=old))
    eventually(lambda: not gone.exists())


def test_op_10_a_half_open_older_connection_is_closed(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    with open_raw(agent.gateway) as frozen:
        send_frame(frozen, encode(agent.message(**full_state())))
        stored(agent, connected=True)
        agent.connect()
        agent.say()
        connections = agent.gateway.server.gateway.connections
        eventually(lambda: len(connections) == 1, "the old connection closed", timeout_s=12.0)
        assert not agent.say().HasField("agent_identification")


def test_op_47_a_personal_token_speaks_for_its_agent_only(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    agent = make_agent(transport)
    agent.begin()
    _, secret = issue_token(name="one", by=SYSTEM, agent_id=row(agent).pk)
    agent.close()
    gateway = start_gateway(auth="token")
    headers = {"Authorization": f"Bearer {secret}"}
    own = make_agent(transport, at=gateway, uid=agent.uid, headers=headers)
    assert own.begin().instance_uid == agent.uid
    thief = make_agent(transport, at=gateway, headers=headers).connect()
    if transport == "ws":
        answer = thief.say(**full_state())
        assert "does not belong to this credential" in answer.error_response.error_message
        assert thief.closed_with() == 1008
    else:
        found = thief.post(thief.message(**full_state()).SerializeToString())
        assert (found.status_code, found.json()["code"]) == (403, "uid_mismatch")
    assert Agent.objects.count() == 1


def test_op_47_a_uid_of_one_pool_cannot_be_claimed_by_another(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    gateway = start_gateway(auth="token")
    secrets = [issue_token(name=n, by=SYSTEM)[1] for n in ("one", "two")]
    first, second = ({"Authorization": f"Bearer {s}"} for s in secrets)
    agent = make_agent("ws", at=gateway, headers=first)
    agent.begin()
    thief = make_agent("ws", at=gateway, uid=agent.uid, headers=second).connect()
    thief.say(**full_state())
    assert thief.closed_with() == 1008


def test_op_59_nested_and_plain_attributes_survive_and_can_be_matched(agent: FakeAgent) -> None:
    tags = AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="a")]))
    nested = KeyValueList(values=[KeyValue(key="cpu", value=AnyValue(int_value=8))])
    attributes = [
        KeyValue(key="count", value=AnyValue(int_value=7)),
        KeyValue(key="spot", value=AnyValue(bool_value=True)),
        KeyValue(key="load", value=AnyValue(double_value=0.5)),
        KeyValue(key="tags", value=tags),
        KeyValue(key="machine", value=AnyValue(kvlist_value=nested)),
        KeyValue(key="raw", value=AnyValue(bytes_value=b"\x01\x02")),
    ]
    agent.begin(agent_description=pb.AgentDescription(non_identifying_attributes=attributes))
    found = eventually(
        lambda: Agent.objects.filter(
            Q(labels__count="7") & Q(labels__spot="true") & Q(non_identifying__machine__cpu=8)
        ).first()
    )
    assert found.labels["tags"] == '["a"]'
    assert found.non_identifying == {
        "count": 7,
        "spot": True,
        "load": 0.5,
        "tags": ["a"],
        "machine": {"cpu": 8},
        "raw": "0102",
    }


def test_op_59_two_agents_may_share_all_attributes(make_agent: MakeAgent) -> None:
    one, two = make_agent("ws"), make_agent("http")
    one.begin()
    two.begin()
    eventually(lambda: row(one).labels == row(two).labels != {})
    assert row(one).pk != row(two).pk


def test_op_60_a_uid_header_that_differs_from_the_body_is_refused(make_agent: MakeAgent) -> None:
    agent = make_agent("http").connect()
    body = agent.message(**full_state()).SerializeToString()
    found = agent.post(body, OpAMP_Instance_UID=str(uuid.uuid4()))
    assert pb.ServerToAgent.FromString(found.content).error_response.type == BAD
    assert not Agent.objects.exists()


def test_op_60_the_right_uid_header_is_fine(make_agent: MakeAgent) -> None:
    agent = make_agent("http").connect()
    body = agent.message(**full_state()).SerializeToString()
    found = agent.post(body, OpAMP_Instance_UID=str(uuid.UUID(bytes=agent.uid)))
    assert not pb.ServerToAgent.FromString(found.content).HasField("error_response")


def test_op_60_many_agents_may_share_one_connection_of_a_proxy(make_agent: MakeAgent) -> None:
    one, two = make_agent("http"), make_agent("http")
    one.begin()
    two.http = one.http
    two.say(**full_state())
    assert one.say().instance_uid == one.uid
    assert two.say().instance_uid == two.uid


def test_op_60_forwarded_headers_change_nothing(make_agent: MakeAgent) -> None:
    agent = make_agent("http", headers={"X-Forwarded-For": "9.9.9.9"})
    agent.begin()
    assert stored(agent, connected=True).address.startswith("127.0.0.1:")
