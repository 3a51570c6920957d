"""What opamp-go's own server tests check, asked of this server: GO-01 to GO-31.

Cases that exist only because opamp-go is a library (callbacks, handlers) are read as what an
agent or an operator would see of them.
"""

from __future__ import annotations

import gzip
import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from accounts.actor import SYSTEM
from agents.actions.tokens import issue_token
from agents.gateway.options import Limits
from agents.gateway.sockets.encoding import accepts_gzip, retry_after
from agents.models import Agent, GatewayLease, Session
from agents.opamp import opamp_pb2 as pb
from agents.opamp.wire import encode
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import CONTENT_TYPE, FakeAgent, full_state
from tests.agents.gateway.helpers import stored, want
from tests.agents.gateway.running import RunningGateway, Starter
from tests.agents.gateway.sockets.raw_socket import open_raw, send_frame
from tests.make.waiting import eventually

BAD = pb.ServerErrorResponseType_BadRequest


def test_go_01_a_second_start_is_refused(gateway: RunningGateway) -> None:
    with pytest.raises(RuntimeError, match="running already"):
        gateway.run(gateway.server.start())


def test_go_02_a_stop_can_be_hurried(gateway: RunningGateway, make_agent: MakeAgent) -> None:
    make_agent("ws").begin()
    gateway.stop(drain_s=0.0)
    lease = GatewayLease.objects.get(port=gateway.port)
    assert lease.stopped_at is not None


def test_go_03_start_and_stop_ten_times_on_one_port(start_gateway: Starter) -> None:
    port = 0
    for _ in range(10):
        gateway = start_gateway(port=port)
        port = gateway.port
        gateway.stop()
    assert GatewayLease.objects.filter(port=port).count() == 10


def test_go_04_limits_and_credentials_come_before_the_transports(start_gateway: Starter) -> None:
    gateway = start_gateway(auth="token")
    found = requests.post(
        gateway.url, data=b"\xff", headers={"Content-Type": CONTENT_TYPE}, timeout=5
    )
    assert found.status_code == 401


def test_go_05_port_0_becomes_a_real_port(gateway: RunningGateway) -> None:
    assert gateway.port > 0
    assert eventually(GatewayLease.objects.first).port == gateway.port


def test_go_06_a_refused_upgrade_says_503_and_when_to_come_back(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    gateway = start_gateway()
    gateway.server.door.is_draining = True
    with pytest.raises(InvalidStatus) as refused:
        make_agent("ws", at=gateway).connect()
    assert refused.value.response.status_code == 503
    assert int(refused.value.response.headers["Retry-After"]) >= 30


def test_go_07_an_accepted_upgrade_is_one_session_with_the_right_address(
    make_agent: MakeAgent,
) -> None:
    agent = make_agent("ws")
    agent.begin()
    session = eventually(Session.objects.first)
    host, port = agent.ws.socket.getsockname()
    assert session.address == f"{host}:{port}"
    assert session.disconnected_at is None


def test_go_08_nothing_is_pushed_over_plain_http(make_agent: MakeAgent) -> None:
    agent = make_agent("http")
    agent.begin()
    server = agent.gateway.server.gateway
    [state] = server.registry.by_id.values()
    assert not server.push(state)


def test_go_09_a_client_that_closes_is_seen(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    agent.close()
    stored(agent, connected=False)
    assert eventually(Session.objects.exclude(reason="").first).reason == "closed 1000"


def test_go_10_closing_by_the_server_is_seen_by_both_and_is_no_error(
    make_agent: MakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    agent = make_agent("ws")
    agent.begin()
    server = agent.gateway.server.gateway
    [connection] = server.connections
    agent.gateway.run(_close(connection))
    assert agent.closed_with() == 1000
    stored(agent, connected=False)
    assert not [r for r in caplog.records if r.levelname in {"WARNING", "ERROR"}]


async def _close(connection: object) -> None:
    connection.close(1000, "test")  # type: ignore[attr-defined]


def test_go_11_a_message_without_header_is_answered_with_one(make_agent: MakeAgent) -> None:
    agent = make_agent("ws").connect()
    agent.ws.send(agent.message(**full_state()).SerializeToString())
    data = agent.ws.recv(timeout=5)
    assert isinstance(data, bytes)
    assert data[0] == 0
    answer = pb.ServerToAgent.FromString(data[1:])
    assert answer.instance_uid == agent.uid
    assert answer.capabilities & 1


def test_go_12_a_text_message_is_an_error_and_the_socket_stays(make_agent: MakeAgent) -> None:
    agent = make_agent("ws").connect()
    agent.ws.send("hello")
    assert agent.receive().error_response.type == BAD
    assert agent.say(**full_state()).instance_uid == agent.uid


def test_go_13_a_request_over_the_limit_is_closed_with_1009_unread(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    agent = make_agent("ws", at=start_gateway(limits=Limits(message_bytes=100))).connect()
    agent.ws.send(encode(agent.message(**full_state())))
    assert agent.closed_with() == 1009
    assert not Agent.objects.exists()


def test_go_14_an_answer_to_a_dead_socket_harms_nobody(make_agent: MakeAgent) -> None:
    agent, other = make_agent("ws"), make_agent("ws")
    with open_raw(agent.gateway) as raw:
        send_frame(raw, encode(agent.message(**full_state())))
    stored(agent, connected=False)
    assert other.begin().instance_uid == other.uid


def test_go_15_an_answer_over_the_limit_is_cut_to_what_fits(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    agent = make_agent("ws", at=start_gateway(limits=Limits(answer_bytes=300)))
    agent.begin()
    want(agent, text="x" * 400)
    assert agent.say().ByteSize() < 300


def test_go_15_an_empty_message_is_processed(make_agent: MakeAgent) -> None:
    agent = make_agent("ws").connect()
    agent.ws.send(b"")
    assert "instance_uid has 0 bytes" in agent.receive().error_response.error_message


def test_go_16_offered_compression_is_declined_and_contents_are_the_same(
    gateway: RunningGateway, make_agent: MakeAgent
) -> None:
    agent = make_agent("ws")
    with connect(gateway.ws_url, compression="deflate") as ws:
        agent.ws = ws
        assert ws.response is not None
        assert "Sec-WebSocket-Extensions" not in ws.response.headers
        agent.say(**full_state())
        want(agent, text="a: 1\n" * 8000)
        assert agent.receive().remote_config.config.config_map[""].body == b"a: 1\n" * 8000


def test_go_17_plain_http_has_its_type_uid_and_capabilities(make_agent: MakeAgent) -> None:
    agent = make_agent("http").connect()
    found = agent.post(agent.message(**full_state()).SerializeToString())
    answer = pb.ServerToAgent.FromString(found.content)
    assert (found.status_code, found.headers["Content-Type"]) == (200, CONTENT_TYPE)
    assert (answer.instance_uid, answer.capabilities & 1) == (agent.uid, 1)


def test_go_18_a_body_that_unpacks_over_the_limit_is_a_413(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    agent = make_agent("http", at=start_gateway(limits=Limits(message_bytes=10_000))).connect()
    packed = gzip.compress(b"\x00" * 10_001)
    assert agent.post(packed, Content_Encoding="gzip").status_code == 413


def test_go_19_an_http_answer_over_the_limit_leaves_out_what_is_too_big(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    agent = make_agent("http", at=start_gateway(limits=Limits(answer_bytes=300)))
    agent.begin()
    want(agent, text="x" * 400)
    assert agent.say().instance_uid == agent.uid


def test_go_19_an_empty_body_is_an_empty_message(make_agent: MakeAgent) -> None:
    found = make_agent("http").connect().post(b"")
    assert found.status_code == 200
    assert pb.ServerToAgent.FromString(found.content).error_response.type == BAD


def test_go_20_other_routes_live_beside_opamp(gateway: RunningGateway, agent: FakeAgent) -> None:
    health = requests.get(f"http://127.0.0.1:{gateway.port}/healthz", timeout=5)
    assert health.status_code == 200
    assert agent.begin().instance_uid == agent.uid


def test_go_21_a_gzip_request_is_decoded(make_agent: MakeAgent) -> None:
    agent = make_agent("http").connect()
    body = gzip.compress(agent.message(**full_state()).SerializeToString())
    found = agent.post(body, Content_Encoding="gzip")
    assert pb.ServerToAgent.FromString(found.content).instance_uid == agent.uid


def test_go_22_a_gzip_answer_is_given_when_accepted(make_agent: MakeAgent) -> None:
    agent = make_agent("http").connect()
    body = agent.message(**full_state()).SerializeToString()
    assert agent.post(body, Accept_Encoding="gzip").headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in agent.post(body, Accept_Encoding="identity").headers


@pytest.mark.parametrize("header", [b"", b"\x00", b"\x80\x00"])
@pytest.mark.parametrize("uid", [b"", b"u" * 16])
def test_go_23_messages_are_read_with_and_without_header(
    make_agent: MakeAgent, header: bytes, uid: bytes
) -> None:
    agent = make_agent("ws").connect()
    agent.ws.send(header + pb.AgentToServer(instance_uid=uid).SerializeToString())
    answer = agent.receive()
    if uid:
        assert (answer.instance_uid, answer.HasField("error_response")) == (uid, False)
    else:
        assert "has 0 bytes" in answer.error_response.error_message


def test_go_24_twenty_at_once_on_one_socket_do_not_mix(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    frames = [encode(agent.message()) for _ in range(20)]
    threads = [threading.Thread(target=agent.ws.send, args=(frame,)) for frame in frames]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {agent.receive().instance_uid for _ in frames} == {agent.uid}


def test_go_25_credentials_are_checked_once_a_socket_and_on_each_request(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    token, secret = issue_token(
        name="short", by=SYSTEM, expires_at=datetime.now(UTC) + timedelta(seconds=1)
    )
    gateway = start_gateway(auth="token")
    headers = {"Authorization": f"Bearer {secret}"}
    socket, poll = (make_agent(kind, at=gateway, headers=headers) for kind in ("ws", "http"))
    socket.begin()
    poll.begin()
    eventually(lambda: not token.is_valid(datetime.now(UTC)))
    assert poll.post(poll.message().SerializeToString()).json()["code"] == "token_expired"
    assert socket.say().instance_uid == socket.uid


def test_go_26_an_answer_with_nothing_to_say_still_names_the_uid(agent: FakeAgent) -> None:
    agent.begin()
    assert agent.say().instance_uid == agent.uid


def test_go_27_a_short_uid_is_refused_where_opamp_go_lets_it_pass(agent: FakeAgent) -> None:
    agent.connect()
    answer = agent.exchange(pb.AgentToServer(instance_uid=b"12345678", sequence_num=1))
    assert answer.error_response.type == BAD


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["gzip"], True),
        (["deflate, gzip, br"], True),
        (["deflate", "gzip"], True),
        (["gzip;q=0.5"], True),
        (["gzip;q=0"], False),
        (["gzip;q=0, *"], False),
        ([" gzip ; q=1.0 "], True),
        (["gzip;q=0.0"], False),
        (["gzip;x=1;q=0.7"], True),
        (["deflate, br"], False),
        (["*"], True),
        (["*;q=0"], False),
        (["GZIP"], True),
        ([], False),
        ([""], False),
    ],
)
def test_go_28_accept_encoding(headers: list[str], expected: bool) -> None:
    assert accepts_gzip(headers) is expected


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("gzip;q=0.1;q=0", True),
        ("gzip;q=abc", False),
        ("gzip;q=2", False),
        ("gzip;q=-1", False),
        ("gzip;Q=0", False),
        ("gzip;broken", True),
        (";q=1", False),
        ("gzip;q=nan", False),
    ],
)
def test_go_29_one_encoding_and_its_weight(token: str, expected: bool) -> None:
    assert accepts_gzip([token]) is expected


def test_go_30_exactly_the_limit_passes_and_one_more_does_not(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    size = 1000
    gateway = start_gateway(limits=Limits(message_bytes=size))
    header = 1 if transport == "ws" else 0
    for extra, passes in ((0, True), (1, False)):
        agent = make_agent(transport, at=gateway).connect()
        padded = _padded(agent, size - header + extra)
        if transport == "http":
            assert agent.post(padded).status_code == (200 if passes else 413)
        elif passes:
            agent.ws.send(b"\x00" + padded)
            assert agent.receive().instance_uid == agent.uid
        else:
            agent.ws.send(b"\x00" + padded)
            assert agent.closed_with() == 1009


def _padded(agent: FakeAgent, size: int) -> bytes:
    """Return a message of exactly this size, filled up with an unknown field."""
    body = agent.message().SerializeToString()
    missing = size - len(body) - 4
    return body + b"\xa2\x06" + bytes([missing & 0x7F | 0x80, missing >> 7]) + b"x" * missing


def test_go_30_the_default_limit_is_64_mib() -> None:
    assert Limits().message_bytes == Limits().answer_bytes == 64 * 1024 * 1024


def test_go_31_retry_after_is_whole_seconds_and_never_below_30() -> None:
    assert {int(retry_after(seconds)) >= 30 for seconds in (-5, 0, 1, 30, 300)} == {True}
