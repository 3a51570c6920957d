"""However TCP cuts the bytes of a WebSocket into pieces, the same is read from them."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.gateway.options import Limits
from agents.gateway.principal import LOOPBACK
from agents.gateway.registry.budgets import Room
from agents.gateway.sockets.websocket import Socket
from agents.opamp.websocket import frames
from tests.agents.opamp.messages import masked, spoilt

MASKS = st.binary(min_size=4, max_size=4)
PAYLOADS = st.binary(max_size=200) | st.just(b"x" * 70_000)
ROOM = 1_000_000
OPCODES = st.sampled_from([frames.BINARY] * 4 + [frames.TEXT, frames.PING, frames.PONG])


@st.composite
def whole_frames(draw: st.DrawFn) -> bytes:
    opcode = draw(OPCODES)
    payload = draw(PAYLOADS)
    return masked(payload[:125] if opcode > 2 else payload, draw(MASKS), opcode)


@st.composite
def fragmented(draw: st.DrawFn) -> bytes:
    """Return one message in several frames."""
    pieces = draw(st.lists(st.binary(max_size=20), min_size=2, max_size=4))
    said = b""
    for number, piece in enumerate(pieces):
        frame = bytearray(masked(piece, draw(MASKS), 0 if number else frames.BINARY))
        if number < len(pieces) - 1:
            frame[0] &= 0x7F
        said += bytes(frame)
    return said


STREAMS = st.lists(whole_frames() | fragmented(), max_size=5).map(b"".join)


class _Books:
    """Stands in for the gateway behind a socket: notes what was read, answers with its length."""

    def __init__(self) -> None:
        self.limits = Limits(message_bytes=100_000, messages_burst=1e9, bytes_burst=1e12)
        self.messages = self.received_bytes = self.sent_bytes = 0
        self.read: list[object] = []
        self.room = Room(ROOM)
        self.receiving: dict[object, float] = {}
        self.gateway = self

    def receive(self, _connection: object, payload: bytes) -> bytes:
        self.read.append(payload)
        return str(len(payload)).encode()

    def turned_away(self, _socket: object, reason: str, *_: object) -> None:
        self.read.append(reason)

    def closed(self, _connection: object, _reason: str) -> None:
        """The socket is done with."""


class _HeardSocket(Socket):
    """A socket without TCP: what it would write is noted."""

    __slots__ = ("written",)

    def __init__(self, books: Any) -> None:
        super().__init__(books, ("127.0.0.1", 1), LOOPBACK)
        self.written = b""

    def _write(self, data: bytes) -> None:
        self.written += data


def heard(pieces: list[bytes]) -> tuple[list[object], bytes, int]:
    """Return what a socket reads and writes from these pieces, and what it holds at its end."""
    books = _Books()

    async def listen() -> bytes:
        socket = _HeardSocket(books)
        for piece in pieces:
            socket.data_received(piece)
        socket.connection_lost(None)
        return socket.written

    written = asyncio.run(listen())
    assert not books.receiving
    return books.read, written, ROOM - books.room._free


@st.composite
def cut(draw: st.DrawFn, streams: st.SearchStrategy[bytes]) -> tuple[bytes, list[bytes]]:
    """Return a stream and the same stream in pieces."""
    stream = draw(streams)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    bounds = [0, *cuts, len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(bounds) if a < b]
    return stream, pieces


@given(cut(STREAMS))
def test_pieces_of_valid_frames_are_read_like_the_whole(both: tuple[bytes, list[bytes]]) -> None:
    stream, pieces = both
    assert heard(pieces) == heard([stream])


@given(cut(spoilt(STREAMS)))
def test_pieces_of_spoilt_frames_are_read_like_the_whole(both: tuple[bytes, list[bytes]]) -> None:
    stream, pieces = both
    read, written, reserved = heard(pieces)
    assert (read, written, reserved) == heard([stream])
    assert reserved == 0


@given(st.binary(max_size=60))
def test_any_bytes_byte_by_byte_are_read_like_the_whole(stream: bytes) -> None:
    assert heard([bytes([byte]) for byte in stream]) == heard([stream])
