"""Clients that try to hold up a gateway or to fill it: security.md section 8, SEC-32.

Each of these once cost others their service: memory that no budget counted, work that grew with the
square of what was sent, one bad value that spoilt a whole batch.
"""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from agents.gateway.options import Limits
from agents.gateway.sockets.websocket import Socket
from agents.opamp import opamp_pb2 as pb
from agents.opamp.wire import decode_from_server, encode
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import CONTENT_TYPE, full_state
from tests.agents.gateway.helpers import stored
from tests.agents.gateway.running import PATH, RunningGateway, Starter
from tests.agents.gateway.sockets.raw_socket import open_raw, send_frame
from tests.make.waiting import eventually

UNAVAILABLE = pb.ServerErrorResponseType_Unavailable
BINARY, CONTINUATION, PING = 2, 0, 9


def frame_from(raw: socket.socket) -> tuple[int, bytes]:
    """Return opcode and payload of the next frame; none of more than 64 KiB."""
    first, size = raw.recv(2, socket.MSG_WAITALL)
    if size == 126:
        size = int.from_bytes(raw.recv(2, socket.MSG_WAITALL), "big")
    return first & 0x0F, raw.recv(size, socket.MSG_WAITALL)


def close_code(raw: socket.socket) -> int:
    opcode, payload = frame_from(raw)
    assert opcode == 8, (opcode, payload)
    return int.from_bytes(payload[:2], "big")


def is_read_up_to_here(raw: socket.socket) -> None:
    """Wait until all that was sent before has been read."""
    send_frame(raw, b"here", PING)
    assert frame_from(raw) == (10, b"here")


def test_a_message_in_very_many_pieces_holds_up_nobody(make_agent: MakeAgent) -> None:
    agent, other = make_agent("ws"), make_agent("ws")
    other.begin()
    with open_raw(agent.gateway) as raw:
        data = encode(agent.message(effective_config=padding(60_000)))
        first = b"\x02\x81\x00\x00\x00\x00" + data[:1]
        middle = b"".join(
            b"\x00\x81\x00\x00\x00\x00" + data[n : n + 1] for n in range(1, len(data))
        )
        raw.sendall(first + middle + b"\x80\x80\x00\x00\x00\x00")
        # Summed up anew with each piece, this took most of a minute.
        assert frame_from(raw)[0] == BINARY
    assert other.say().instance_uid == other.uid


def padding(size: int) -> pb.EffectiveConfig:
    file = pb.AgentConfigFile(body=b"x" * size)
    return pb.EffectiveConfig(config_map=pb.AgentConfigMap(config_map={"": file}))


@pytest.fixture
def tight(start_gateway: Starter) -> RunningGateway:
    """A gateway with room for a thousand bytes of messages that are not whole."""
    return start_gateway(limits=Limits(receiving_bytes=1000))


def test_pieces_of_a_message_count_until_it_is_whole(
    tight: RunningGateway, make_agent: MakeAgent
) -> None:
    with open_raw(tight) as holder:
        send_frame(holder, b"\x00" * 800, BINARY, final=False)
        is_read_up_to_here(holder)
        with open_raw(tight) as late:
            send_frame(late, b"\x00" * 800, BINARY, final=False)
            opcode, payload = frame_from(late)
            answer = decode_from_server(payload)
            assert (opcode, answer.error_response.type) == (BINARY, UNAVAILABLE)
            assert close_code(late) == 1013
    eventually(lambda: tight.server.gateway.room.take(1000), "the room is given back")


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_body_of_unknown_size_counts_as_it_comes(tight: RunningGateway, coding: str) -> None:
    whole = b"\x00" * 1200

    def pieces() -> Iterator[bytes]:
        if coding == "gzip":
            yield gzip.compress(whole)
        else:
            yield whole[:600]
            yield whole[600:]

    headers = {"Content-Type": CONTENT_TYPE, "Content-Encoding": coding}
    found = requests.post(tight.url, data=pieces(), headers=headers, timeout=5)
    assert found.status_code == 503
    assert int(found.headers["Retry-After"]) >= 30
    assert tight.server.gateway.room.take(1000)


@pytest.mark.parametrize("is_final", [True, False], ids=["one frame", "pieces"])
def test_a_message_that_never_becomes_whole_ends_its_socket(
    start_gateway: Starter, make_agent: MakeAgent, *, is_final: bool
) -> None:
    gateway = start_gateway(limits=Limits(body_s=0.3))
    agent = make_agent("ws", at=gateway)
    with open_raw(gateway) as raw:
        send_frame(raw, encode(agent.message(**full_state())))
        assert frame_from(raw)[0] == BINARY
        if is_final:
            raw.sendall(b"\x82\xff" + (60_000_000).to_bytes(8, "big") + b"\x00" * 5)
        else:
            send_frame(raw, b"", BINARY, final=False)
        assert close_code(raw) == 1008
    assert gateway.server.gateway.room.take(Limits().receiving_bytes)


def test_who_does_not_read_gets_no_more_to_read(gateway: RunningGateway) -> None:
    with open_raw(gateway) as raw:
        is_read_up_to_here(raw)
        (server_side,) = gateway.server.gateway.connections

        async def lag() -> None:
            server_side.is_lagging = True

        gateway.run(lag())
        send_frame(raw, b"unread", PING)
        send_frame(raw, b"\x03\xe8", 8)
        assert close_code(raw) == 1000


@pytest.mark.parametrize("number", [4, 40_000, 2**31 - 1, -1])
def test_a_status_that_does_not_exist_spoils_nothing(
    make_agent: MakeAgent, transport: str, number: int
) -> None:
    agent = make_agent(transport, capabilities=0xFFFF)
    agent.begin()
    odd: Any = number
    agent.say(
        remote_config_status=pb.RemoteConfigStatus(last_remote_config_hash=b"h" * 32, status=odd),
        connection_settings_status=pb.ConnectionSettingsStatus(
            last_connection_settings_hash=b"s" * 32, status=odd
        ),
        health=pb.ComponentHealth(healthy=False, last_error="seen"),
    )
    found = stored(agent, health_error="seen", settings_hash=(b"s" * 32).hex())
    assert (found.config_hash, found.config_status) == ((b"h" * 32).hex(), 0)
    assert found.settings_status == 0
    refused = agent.gateway.server.gateway.metrics.refused.labels("not_storable")
    assert refused._value.get() == 0


@pytest.mark.parametrize(("auth", "status"), [("token", 401), ("none", 200)])
def test_a_credential_that_is_no_text_is_no_server_error(
    start_gateway: Starter, auth: str, status: int
) -> None:
    gateway = start_gateway(auth=auth)
    body = pb.AgentToServer(instance_uid=b"u" * 16).SerializeToString()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as raw:
        raw.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {CONTENT_TYPE}\r\n".encode()
            + b"Authorization: Bearer \xff\xfe\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )
        assert raw.recv(12) == b"HTTP/1.1 %d" % status


def test_a_lost_host_is_noticed_though_it_promised_no_heartbeats(make_agent: MakeAgent) -> None:
    """Nobody can lose a host on loopback; that the kernel is told to look for it can be seen."""
    agent = make_agent("ws")
    agent.begin()
    known = agent.gateway.server.gateway.registry.by_uid[agent.uid].connection
    assert isinstance(known, Socket)
    assert known.transport is not None
    kernel = known.transport.get_extra_info("socket")
    assert kernel.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    idle = kernel.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    gap = kernel.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
    assert idle + gap * kernel.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) <= 90


@pytest.mark.parametrize("path", [PATH, "/healthz/no"])
def test_who_is_refused_over_plain_http_keeps_no_connection(
    start_gateway: Starter, path: str
) -> None:
    gateway = start_gateway(auth="token")
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as raw:
        raw.sendall(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {CONTENT_TYPE}\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )
        heard = b""
        while more := raw.recv(4096):
            heard += more
    assert heard.startswith(b"HTTP/1.1 40")
    assert b"Connection: close" in heard


def test_who_goes_in_the_middle_of_a_body_leaves_no_error_behind(
    gateway: RunningGateway, caplog: pytest.LogCaptureFixture
) -> None:
    refused = gateway.server.gateway.metrics.refused.labels("malformed")
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as raw:
        raw.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {CONTENT_TYPE}\r\n"
            "Content-Length: 100\r\n\r\nabc".encode()
        )
        eventually(lambda: gateway.server.gateway.room._free < Limits().receiving_bytes)
    eventually(lambda: refused._value.get() == 1, "the end seen")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
