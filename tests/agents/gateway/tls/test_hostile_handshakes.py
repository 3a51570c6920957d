"""Connections that open and do not go on, and bytes that are no TLS (SEC-32, SEC-34)."""

from __future__ import annotations

import random
import socket
import ssl
import uuid

import pytest

from agents.gateway.options import Limits
from agents.gateway.sockets import tls_port
from tests.agents.gateway.fake_agent import FakeAgent
from tests.agents.gateway.running import RunningGateway
from tests.agents.gateway.tls.conftest import Secure, StartTls
from tests.agents.gateway.tls.test_reload import counted
from tests.agents.gateway.tls.world import World
from tests.make import certificates
from tests.make.waiting import eventually


def opened(gateway: RunningGateway, count: int, says: bytes = b"") -> list[socket.socket]:
    made = []
    for _ in range(count):
        made.append(socket.create_connection(("127.0.0.1", gateway.port), timeout=20))
        if says:
            made[-1].sendall(says)
    return made


def is_cut(one: socket.socket) -> bool:
    try:
        return one.recv(1) == b""
    except OSError:
        return True


def close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()


def an_agent(world: World, gateway: RunningGateway, secure: Secure) -> FakeAgent:
    uid = uuid.uuid4()
    return secure(gateway, world.client(certificates.client(world.agent_ca, uid)), uid=uid.bytes)


# Of a ClientHello that never ends: a record's head, and a beginning.
HALF = bytes.fromhex("1603010200010001fc0303")


@pytest.mark.parametrize("says", [b"", HALF], ids=["silent", "half open"])
def test_sec_32_who_does_not_go_on_is_cut_and_others_are_served(
    world: World, start_tls: StartTls, secure: Secure, says: bytes
) -> None:
    world.trust()
    limits = Limits(head_s=1.0, unproven_connections=50)
    gateway = start_tls(auth="mtls", limits=limits)
    idle = opened(gateway, 400, says)
    try:
        agent = an_agent(world, gateway, secure)
        assert not agent.begin().HasField("error_response")
        assert all(is_cut(one) for one in idle)
        assert not agent.say().HasField("error_response")
        name, reason = "opamp_gateway_refused_total", "slow_handshake"
        eventually(lambda: counted(gateway, name, reason=reason) >= 400, "each of them counted")
    finally:
        close(idle)


def test_sec_32_a_crowd_of_the_silent_gives_way_soon(
    world: World, start_tls: StartTls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_port, "_GRACE_S", 0.2)
    gateway = start_tls(limits=Limits(head_s=3600.0, unproven_connections=10))
    idle = opened(gateway, 60)
    try:
        assert all(is_cut(one) for one in idle[:50])
        idle[-1].settimeout(0.5)
        with pytest.raises(TimeoutError):
            idle[-1].recv(1)  # the newest ten may think on
    finally:
        close(idle)


def test_a_storm_of_handshakes_waits_for_its_turn(
    world: World, start_tls: StartTls, secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_port, "MAX_HANDSHAKES", 2)
    world.trust()
    gateway = start_tls(auth="mtls")
    agents = [an_agent(world, gateway, secure) for _ in range(12)]
    for agent in agents:
        agent.connect()
    assert counted(gateway, "opamp_gateway_tls_handshakes_total", result="ok") >= 12


def test_sec_34_garbage_harms_nobody(world: World, start_tls: StartTls, secure: Secure) -> None:
    """Random bytes, records cut anywhere, and a true ClientHello with bits turned."""
    world.trust()
    gateway = start_tls(auth="mtls", limits=Limits(head_s=2.0))
    dice = random.Random(7)
    hello = client_hello()
    for _ in range(300):
        kind = dice.randrange(3)
        if kind == 0:
            data = dice.randbytes(dice.randrange(1, 600))
        elif kind == 1:
            data = hello[: dice.randrange(1, len(hello))]
        else:
            turned = bytearray(hello)
            for _bit in range(dice.randrange(1, 8)):
                turned[dice.randrange(len(turned))] ^= 1 << dice.randrange(8)
            data = bytes(turned) + dice.randbytes(dice.randrange(0, 64))
        close(opened(gateway, 1, data))
    agent = an_agent(world, gateway, secure)
    assert not agent.begin().HasField("error_response")
    eventually(lambda: not gateway.server.listener.unfinished_handshakes, "all of them to end")


def client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()
