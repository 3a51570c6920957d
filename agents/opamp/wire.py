"""Frames and messages, both directions (OpAMP "WebSocket Message Format"; opamp-protocol.md 2.1).

A WebSocket message is a varint header, always zero, and one protobuf message; plain HTTP carries
the protobuf alone. Server, simulator and tests share this module. Pure.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError, Message

from agents.opamp.opamp_pb2 import ServerToAgent

HEADER = b"\x00"
_MAX_VARINT_BYTES = 10


class Malformed(ValueError):
    """The bytes are not an OpAMP message; sending them again cannot help (OP-25)."""


class TooComplex(Malformed):
    """The message has more elements or levels than anyone needs (security.md section 8)."""


def payload_of(frame: bytes) -> bytes:
    """Return the protobuf part of a WebSocket message.

    Clients of before 2023 send no header; opamp-go still takes those, so do we (GO-11, GO-23).
    Raises Malformed for a header that is not zero or does not end.
    """
    if not frame or frame[0] == 0:
        return frame[1:]
    if frame[0] < 0x08:
        raise Malformed(f"the header is {frame[0]}, it must be 0")
    if frame[0] == 0x80:
        return frame[_long_header(frame) :]
    if len(frame) >= _MAX_VARINT_BYTES and all(b & 0x80 for b in frame[:_MAX_VARINT_BYTES]):
        raise Malformed("the header does not end")
    return frame


def _long_header(frame: bytes) -> int:
    """Return the length of an over-long zero (`80 00`), or 0 when this is no header at all."""
    for position, byte in enumerate(frame[:_MAX_VARINT_BYTES]):
        if byte == 0:
            return position + 1
        if byte != 0x80:
            return 0
    raise Malformed("the header does not end")


def encode(message: Message) -> bytes:
    """Return the message as one WebSocket message, header included."""
    return HEADER + message.SerializeToString()


def decode_from_server(frame: bytes) -> ServerToAgent:
    """Return what a server says in one WebSocket message. Raises Malformed. What agents say is
    taken apart by `agents.opamp.scan`."""
    try:
        return ServerToAgent.FromString(payload_of(frame))
    except DecodeError as error:
        raise Malformed(f"not a ServerToAgent: {error}") from error
