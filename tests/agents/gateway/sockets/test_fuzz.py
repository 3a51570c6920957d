"""Random and spoilt bytes against a running gateway: it answers or closes by the book, goes on
serving others, and nothing of one agent shows at another. The same bytes each time."""

from __future__ import annotations

import random
import socket
import uuid
from collections.abc import Iterator

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from agents.gateway.options import Limits
from agents.models import Agent, AgentBody, AgentStatus
from agents.opamp import opamp_pb2 as pb
from agents.opamp.scan import split
from agents.opamp.wire import Malformed, decode_from_server
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import CONTENT_TYPE, FakeAgent, description, full_state
from tests.agents.gateway.helpers import row, stored, want
from tests.agents.gateway.running import RunningGateway, Starter
from tests.agents.gateway.sockets.raw_socket import open_raw
from tests.make.waiting import eventually

MESSAGES = 400
STREAMS = 120
SECRET = "of-the-bystander-alone"
ANSWERS = {200, 400, 403}
CLOSES = {1000, 1002, 1003, 1008, 1009}
# A client's own code comes back to it (RFC 6455 section 5.5.1).
ECHOED = {1001, 1007, *range(1010, 1015), *range(3000, 5000)}
# Each agent may be as quick as it likes: what is over its budget would not be read at all.
PATIENT = Limits(messages_per_s=1e6, messages_burst=1e6, bad_messages=1_000_000)


def own_message(uid: bytes, number: int) -> bytes:
    """Return a valid report of an attacker, under a uid that starts like all attackers' do."""
    parts = full_state(
        agent_description=description(host_name=f"attacker-{number}"),
        health=pb.ComponentHealth(healthy=False, last_error="attacker"),
    )
    return pb.AgentToServer(
        instance_uid=uid, sequence_num=number, capabilities=0xFFFF, **parts
    ).SerializeToString()


def spoil(data: bytes, chance: random.Random) -> bytes:
    """Change, cut out or put in a few bytes."""
    spoilt = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(spoilt) + 1)
        spoilt[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    return bytes(spoilt)


def messages(seed: int) -> Iterator[bytes]:
    """Yield valid messages spoilt, random bytes, and valid ones between them."""
    chance = random.Random(seed)
    uids = [b"attacker" + chance.randbytes(8) for _ in range(4)]
    for number in range(MESSAGES):
        whole = own_message(chance.choice(uids), number)
        kind = chance.random()
        if kind < 0.7:
            yield spoil(whole, chance)
        elif kind < 0.9:
            yield chance.randbytes(chance.randint(0, 200))
        else:
            yield whole


@pytest.fixture
def quick(start_gateway: Starter) -> RunningGateway:
    return start_gateway(limits=PATIENT)


@pytest.fixture
def bystander(quick: RunningGateway, make_agent: MakeAgent) -> FakeAgent:
    """An agent that minds its own business beside the attackers."""
    agent = make_agent("ws", at=quick)
    agent.begin(
        agent_description=description(host_name=SECRET),
        health=pb.ComponentHealth(healthy=True, status=SECRET),
    )
    stored(agent, connected=True)
    return agent


def is_untouched(agent: FakeAgent) -> None:
    """Check that the gateway is well, serves this agent right and mixed nothing up."""
    gateway = agent.gateway
    assert gateway.server._is_well()
    answer = agent.say(health=pb.ComponentHealth(healthy=True, status=f"{SECRET}-2"))
    assert answer == pb.ServerToAgent(instance_uid=agent.uid)
    config_hash = want(agent, text=f"# {SECRET}\n")
    assert agent.receive().remote_config.config_hash.hex() == config_hash
    stored(agent, health_status=f"{SECRET}-2", health_error="", connected=True)
    eventually(lambda: gateway.server.gateway.flusher.unwritten == 0, "all is written")
    mine = row(agent)
    assert mine.name == SECRET
    others = Agent.objects.exclude(pk=mine.pk)
    assert not others.filter(name__contains=SECRET).exists()
    assert not AgentStatus.objects.filter(agent__in=others, health_status__contains=SECRET).exists()
    bodies = AgentBody.objects.filter(agent__in=others).values_list("body", flat=True)
    assert SECRET not in repr(list(bodies))
    assert "attacker" not in repr(list(AgentBody.objects.filter(agent=mine).values_list("body")))


def asked_for(payload: bytes) -> bytes:
    """Return the uid of a message, empty when it has none."""
    try:
        return split(payload).uid
    except Malformed:
        return b""


def is_for(answer: pb.ServerToAgent, payload: bytes) -> bool:
    return answer.instance_uid in {b"", asked_for(payload)}


@pytest.mark.parametrize("seed", [1, 2])
def test_spoilt_messages_over_websocket_get_an_answer_each_and_harm_nobody(
    quick: RunningGateway, bystander: FakeAgent, seed: int
) -> None:
    with connect(quick.ws_url, compression=None) as ws:
        for payload in messages(seed):
            ws.send(b"\x00" + payload)
            try:
                data = ws.recv(timeout=5)
            except ConnectionClosed as closed:
                pytest.fail(f"closed: {closed}")
            assert isinstance(data, bytes)
            assert SECRET.encode() not in data
            assert is_for(decode_from_server(data), payload), payload
    is_untouched(bystander)
    assert Agent.objects.count() > 1


@pytest.mark.parametrize("seed", [3, 4])
def test_spoilt_messages_over_http_get_an_answer_each_and_harm_nobody(
    quick: RunningGateway, bystander: FakeAgent, seed: int
) -> None:
    with requests.Session() as http:
        for payload in messages(seed):
            response = http.post(
                quick.url, data=payload, headers={"Content-Type": CONTENT_TYPE}, timeout=5
            )
            assert response.status_code in ANSWERS, payload
            assert SECRET.encode() not in response.content
            if response.status_code != 403:
                assert is_for(pb.ServerToAgent.FromString(response.content), payload), payload
    is_untouched(bystander)
    assert Agent.objects.count() > 1


def streams(seed: int) -> Iterator[bytes]:
    """Yield WebSocket streams whose frames themselves are spoilt."""
    chance = random.Random(seed)
    uid = b"attacker" + chance.randbytes(8)
    for number in range(STREAMS):
        payload = b"\x00" + own_message(uid, number)
        head = bytes([chance.choice([0x82, 0x82, 0x02, 0x80, 0x81, 0x88, 0x89, 0xC2])])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        else:
            head += bytes([0x80 | 126]) + len(payload).to_bytes(2, "big")
        frame = head + bytes(4) + payload
        yield spoil(frame, chance) if chance.random() < 0.7 else chance.randbytes(300)


def test_spoilt_frames_close_their_own_socket_by_the_book_and_no_other(
    quick: RunningGateway, bystander: FakeAgent
) -> None:
    for stream in streams(5):
        with open_raw(quick) as raw:
            raw.settimeout(5)
            raw.sendall(stream)
            # A client's Close after it: answered, unless a frame before it has not ended.
            raw.sendall(b"\x88\x82\x00\x00\x00\x00\x03\xe8")
            raw.shutdown(socket.SHUT_WR)
            heard = read_all(raw)
        assert SECRET.encode() not in heard
        codes = close_codes(heard)
        assert len(codes) <= 1
        assert set(codes) <= CLOSES | ECHOED
    is_untouched(bystander)
    assert len(quick.server.gateway.connections) == 1


def read_all(raw: socket.socket) -> bytes:
    heard = b""
    try:
        while more := raw.recv(65_536):
            heard += more
    except ConnectionResetError:
        pass
    return heard


def close_codes(heard: bytes) -> list[int]:
    """Return the codes of the Close frames among a server's frames, which must all be whole."""
    codes, at = [], 0
    while at < len(heard):
        size, head = heard[at + 1], 2
        if size == 126:
            size, head = int.from_bytes(heard[at + 2 : at + 4], "big"), 4
        payload = heard[at + head : at + head + size]
        assert len(payload) == size
        if heard[at] == 0x88:
            codes.append(int.from_bytes(payload[:2], "big"))
        at += head + size
    return codes


HEADS = [
    b"GET /v1/opamp HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    b"POST /v1/opamp HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
    b"Content-Length: 2\r\nConnection: close\r\n\r\n\x10\x01",
]


def test_spoilt_request_heads_are_never_a_server_error(
    quick: RunningGateway, bystander: FakeAgent
) -> None:
    chance = random.Random(6)
    for number in range(STREAMS):
        with socket.create_connection(("127.0.0.1", quick.port), timeout=5) as raw:
            raw.sendall(spoil(HEADS[number % 2], chance))
            raw.shutdown(socket.SHUT_WR)
            heard = read_all(raw)
        assert not heard.startswith(b"HTTP/1.1 5"), heard
    is_untouched(bystander)


def test_agents_that_spoilt_uids_made_are_agents_of_their_own(
    quick: RunningGateway, bystander: FakeAgent
) -> None:
    almost = bytearray(bystander.uid)
    for place in range(16):
        almost[place] ^= 1
        with connect(quick.ws_url, compression=None) as ws:
            ws.send(b"\x00" + own_message(bytes(almost), 0))
            data = ws.recv(timeout=5)
            assert isinstance(data, bytes)
            assert decode_from_server(data).instance_uid == bytes(almost)
        almost[place] ^= 1
    is_untouched(bystander)
    assert Agent.objects.filter(instance_uid=uuid.UUID(bytes=bystander.uid)).count() == 1
    assert Agent.objects.count() == 17
