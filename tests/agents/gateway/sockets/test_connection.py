"""Transports and the life of a connection: OP-01 to OP-03, OP-08 to OP-14, OP-36."""

from __future__ import annotations

import gzip
import socket
import time
from contextlib import suppress

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from accounts.actor import SYSTEM
from agents.actions.tokens import issue_token, revoke_token
from agents.gateway.options import Limits
from agents.gateway.sockets.websocket import Socket
from agents.models import Session
from agents.opamp import opamp_pb2 as pb
from agents.opamp.wire import encode
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import CONTENT_TYPE, FakeAgent, full_state
from tests.agents.gateway.helpers import row, status, stored, want, write_now
from tests.agents.gateway.running import RunningGateway, Starter
from tests.make.waiting import eventually


def test_op_01_both_transports_share_one_path(gateway: RunningGateway, agent: FakeAgent) -> None:
    assert agent.begin().instance_uid == agent.uid


def test_op_01_the_path_is_configurable(start_gateway: Starter) -> None:
    other = start_gateway(path="/opamp/here")
    found = requests.post(
        f"http://127.0.0.1:{other.port}/opamp/here",
        data=pb.AgentToServer(instance_uid=b"u" * 16).SerializeToString(),
        headers={"Content-Type": CONTENT_TYPE},
        timeout=5,
    )
    assert found.status_code == 200


@pytest.mark.parametrize("kind", ["Application/X-Protobuf", "application/x-protobuf; charset=x"])
def test_op_01_the_media_type_is_compared_loosely(gateway: RunningGateway, kind: str) -> None:
    body = pb.AgentToServer(instance_uid=b"u" * 16).SerializeToString()
    found = requests.post(gateway.url, data=body, headers={"Content-Type": kind}, timeout=5)
    assert found.status_code == 200


def test_op_01_neither_transport_is_told_what_to_do(gateway: RunningGateway) -> None:
    found = requests.get(gateway.url, timeout=5)
    assert found.status_code == 426
    assert found.headers["Upgrade"] == "websocket"


def test_op_01_a_kept_alive_connection_may_poll_first_and_upgrade_later(
    gateway: RunningGateway,
) -> None:
    body = pb.AgentToServer(instance_uid=b"u" * 16).SerializeToString()
    post = f"POST /v1/opamp HTTP/1.1\r\nHost: x\r\nContent-Type: {CONTENT_TYPE}\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), 5) as kept:
        kept.sendall(f"{post}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert kept.recv(4096).startswith(b"HTTP/1.1 200")
        kept.sendall(
            b"GET /v1/opamp HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert kept.recv(4096).startswith(b"HTTP/1.1 101")
        kept.sendall(b"\x82" + bytes([0x80 | (len(body) + 1)]) + bytes(4) + b"\0" + body)
        answer = kept.recv(4096)
        assert (answer[0], answer[2]) == (0x82, 0)
        assert pb.ServerToAgent.FromString(answer[3:]).instance_uid == b"u" * 16


def test_op_02_every_message_is_answered(agent: FakeAgent) -> None:
    agent.begin()
    answer = agent.say()
    assert answer.instance_uid == agent.uid


def test_op_02_a_repeated_message_is_answered_and_processed_once(agent: FakeAgent) -> None:
    agent.begin()
    message = agent.message(
        health=pb.ComponentHealth(healthy=False, last_error="down"),
    )
    assert agent.exchange(message).flags == agent.exchange(message).flags
    write_now(agent)
    assert row(agent).events.filter(kind="health", details__healthy=False).count() == 1


def test_op_02_a_disconnect_is_answered(agent: FakeAgent) -> None:
    agent.begin()
    answer = agent.say(agent_disconnect=pb.AgentDisconnect())
    assert answer.instance_uid == agent.uid


def test_op_03_with_two_uids_on_a_socket_each_answer_has_the_right_one(
    make_agent: MakeAgent,
) -> None:
    one, two = make_agent("ws"), make_agent("ws")
    one.begin()
    two.ws = one.ws
    assert two.say(**full_state()).instance_uid == two.uid
    assert one.say().instance_uid == one.uid


def test_op_08_a_disconnect_message_shows_at_once(agent: FakeAgent) -> None:
    agent.begin()
    stored(agent, connected=True)
    agent.say(agent_disconnect=pb.AgentDisconnect())
    stored(agent, connected=False)
    assert Session.objects.get().reason == "agent_disconnect"


def test_op_08_a_lost_socket_disconnects_every_uid_on_it(make_agent: MakeAgent) -> None:
    one, two = make_agent("ws"), make_agent("ws")
    one.begin()
    two.ws = one.ws
    two.say(**full_state())
    stored(one, connected=True)
    stored(two, connected=True)
    one.ws.socket.shutdown(socket.SHUT_RDWR)
    stored(one, connected=False)
    stored(two, connected=False)


def test_op_09_the_server_closes_with_a_close_frame(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    agent.gateway.stop()
    assert agent.closed_with() == 1012


def test_op_09_connections_are_closed_over_a_while(
    make_agent: MakeAgent, start_gateway: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = start_gateway()
    agents = [make_agent("ws", at=gateway) for _ in range(5)]
    for agent in agents:
        agent.begin()
    shares = iter([0.0, 0.25, 0.5, 0.75, 1.0])
    closed_at: list[float] = []
    close = Socket.close

    def note(closing: Socket, code: int, text: str) -> None:
        closed_at.append(time.monotonic())
        close(closing, code, text)

    monkeypatch.setattr(Socket, "close", note)
    monkeypatch.setattr(
        "agents.gateway.server.random.uniform", lambda low, high: low + (high - low) * next(shares)
    )
    gateway.stop(drain_s=0.5)
    assert {agent.closed_with() for agent in agents} == {1012}
    assert not any(status(agent).connected for agent in agents)
    assert len(closed_at) == len(agents)
    # Each has waited for its own share.
    assert closed_at[-1] - closed_at[0] > 0.4


def test_op_11_a_bad_token_is_a_401_before_the_upgrade(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    gateway = start_gateway(auth="token")
    headers = {"Authorization": "Bearer tg_a_wrong"}
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(gateway.ws_url, additional_headers=headers),
    ):
        pass
    assert refused.value.response.status_code == 401
    found = make_agent("http", at=gateway, headers=headers).connect().post(b"")
    assert found.status_code == 401
    assert found.headers["WWW-Authenticate"] == "Bearer"
    assert found.json()["code"] == "credential_invalid"


def test_op_11_a_good_token_is_let_in(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    _, secret = issue_token(name="edge", by=SYSTEM, labels={"site": "lab"})
    gateway = start_gateway(auth="token")
    agent = make_agent(transport, at=gateway, headers={"Authorization": f"Bearer {secret}"})
    agent.begin()
    eventually(lambda: row(agent).labels.get("site") == "lab", "the token's label")


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_op_12_a_body_is_taken_plain_and_packed(make_agent: MakeAgent, coding: str) -> None:
    agent = make_agent("http").connect()
    body = agent.message(**full_state()).SerializeToString()
    packed = gzip.compress(body) if coding == "gzip" else body
    found = agent.post(packed, Content_Encoding=coding)
    assert pb.ServerToAgent.FromString(found.content).instance_uid == agent.uid


def test_op_12_another_encoding_is_a_415(make_agent: MakeAgent) -> None:
    assert make_agent("http").connect().post(b"", Content_Encoding="br").status_code == 415


def test_op_12_an_answer_is_packed_when_asked(make_agent: MakeAgent) -> None:
    agent = make_agent("http").connect()
    body = agent.message(**full_state()).SerializeToString()
    found = agent.post(body, Accept_Encoding="gzip")
    assert found.headers["Content-Encoding"] == "gzip"
    assert pb.ServerToAgent.FromString(found.content).instance_uid == agent.uid


def small(limit: int) -> Limits:
    return Limits(message_bytes=limit)


def test_op_13_a_body_over_the_limit_is_a_413_and_is_not_processed(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    agent = make_agent("http", at=start_gateway(limits=small(1))).connect()
    body = agent.message(**full_state()).SerializeToString()
    assert agent.post(body).status_code == 413
    assert agent.post(gzip.compress(body), Content_Encoding="gzip").status_code == 413


def test_op_13_a_bomb_is_not_unpacked(start_gateway: Starter, make_agent: MakeAgent) -> None:
    agent = make_agent("http", at=start_gateway(limits=small(100_000))).connect()
    bomb = gzip.compress(b"\x00" * 50_000_000)
    assert len(bomb) < 100_000
    assert agent.post(bomb, Content_Encoding="gzip").status_code == 413


def test_op_13_a_socket_message_over_the_limit_closes_with_1009(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    agent = make_agent("ws", at=start_gateway(limits=small(1000))).connect()
    agent.ws.send(b"\x00" * 1002)
    assert agent.closed_with() == 1009


def test_op_13_a_config_over_the_limit_never_leaves(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    gateway = start_gateway(limits=Limits(answer_bytes=500))
    agent = make_agent(transport, at=gateway)
    agent.begin()
    want(agent, text="x" * 1000)
    too_large = row(agent).events.filter(kind="config_too_large")
    eventually(lambda: agent.say() is not None and too_large.exists(), "the event")
    assert not agent.say().HasField("remote_config")


def test_op_14_too_many_connections_are_told_when_to_come_back(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    gateway = start_gateway(limits=Limits(connections_on_loopback=1))
    make_agent("ws", at=gateway).begin()
    with pytest.raises(InvalidStatus) as refused:
        make_agent("ws", at=gateway).connect()
    assert refused.value.response.status_code == 429
    assert int(refused.value.response.headers["Retry-After"]) >= 30


def test_op_14_a_storm_is_paced_with_503(start_gateway: Starter, make_agent: MakeAgent) -> None:
    gateway = start_gateway(limits=Limits(handshakes_per_s=0.001, handshakes_burst=1))
    make_agent("ws", at=gateway).connect()
    with pytest.raises(InvalidStatus) as refused:
        make_agent("ws", at=gateway).connect()
    assert refused.value.response.status_code == 503
    assert int(refused.value.response.headers["Retry-After"]) >= 30


def test_op_14_a_flood_is_answered_unavailable_and_then_closed(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    gateway = start_gateway(limits=Limits(messages_per_s=0.001, messages_burst=2))
    agent = make_agent("ws", at=gateway)
    agent.begin()
    agent.say()
    answer = agent.say()
    assert answer.error_response.type == pb.ServerErrorResponseType_Unavailable
    assert answer.error_response.retry_info.retry_after_nanoseconds >= 30 * 10**9
    with suppress(ConnectionClosed):  # it may close before all of them are sent
        for _ in range(5):
            agent.ws.send(encode(agent.message()))
    assert agent.closed_with() == 1008


def test_op_14_polls_that_come_too_fast_are_told_when_to_come_back(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    gateway = start_gateway(limits=Limits(messages_per_s=0.001, messages_burst=2))
    agent = make_agent("http", at=gateway)
    agent.begin()
    agent.say()
    refused = agent.post(agent.message().SerializeToString())
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 30


def test_op_14_a_client_that_connects_anew_for_each_poll_is_paced_as_well(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    gateway = start_gateway(limits=Limits(messages_per_s=0.001, messages_burst=2))
    agent = make_agent("http", at=gateway)
    statuses = []
    for number in range(3):
        agent.close()
        poll = agent.message(**({} if number else full_state())).SerializeToString()
        statuses.append(agent.connect().post(poll).status_code)
    assert statuses == [200, 200, 429]


def test_op_36_an_agent_without_the_heartbeat_bit_may_be_silent(make_agent: MakeAgent) -> None:
    """Longer than one that promised heartbeats; pings tell whether it is there (`test_silence`)."""
    agent = make_agent("ws", capabilities=1)
    agent.begin()
    sweep = agent.gateway.server.sweep
    agent.gateway.run(sweep.look(time.time() + 100))
    assert not agent.say().HasField("error_response")


def test_op_36_an_agent_that_promised_heartbeats_is_missed(make_agent: MakeAgent) -> None:
    agent = make_agent("ws", capabilities=1 | pb.AgentCapabilities_ReportsHeartbeat)
    agent.begin()
    agent.gateway.run(agent.gateway.server.sweep.look(time.time() + 100))
    stored(agent, connected=False)
    assert agent.closed_with() == 1000


def test_op_36_an_agent_that_stops_polling_is_missed(make_agent: MakeAgent) -> None:
    agent = make_agent("http")
    agent.begin()
    stored(agent, connected=True)
    agent.gateway.run(agent.gateway.server.sweep.look(time.time() + 60))
    write_now(agent)
    assert status(agent).connected
    agent.gateway.run(agent.gateway.server.sweep.look(time.time() + 100))
    stored(agent, connected=False)


def test_op_43_a_revoked_token_is_cut_and_refused(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    token, secret = issue_token(name="edge", by=SYSTEM)
    gateway = start_gateway(auth="token")
    headers = {"Authorization": f"Bearer {secret}"}
    agent = make_agent(transport, at=gateway, headers=headers)
    agent.begin()
    revoke_token(token_id=token.pk, by=SYSTEM)
    if transport == "ws":
        assert agent.closed_with() == 1008
        with pytest.raises(InvalidStatus) as refused:
            make_agent("ws", at=gateway, headers=headers).connect()
        assert refused.value.response.status_code == 401
    else:
        poll = agent.message().SerializeToString()
        eventually(lambda: agent.post(poll).status_code == 401, "the refusal")
