"""Random OpAMP messages, valid ones spoilt at random, and a client's frames."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import strategies as st

from agents.opamp import opamp_pb2 as pb
from agents.opamp.anyvalue_pb2 import AnyValue, KeyValue
from agents.opamp.websocket import frames

NUMBERS = st.integers(0, 2**64 - 1)
WORDS = st.text(max_size=12)


@st.composite
def descriptions(draw: st.DrawFn) -> pb.AgentDescription:
    pairs = draw(st.dictionaries(WORDS, WORDS, max_size=4))
    return pb.AgentDescription(
        identifying_attributes=[
            KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in pairs.items()
        ]
    )


@st.composite
def healths(draw: st.DrawFn, levels: int = 3) -> pb.ComponentHealth:
    health = pb.ComponentHealth(
        healthy=draw(st.booleans()),
        start_time_unix_nano=draw(NUMBERS),
        last_error=draw(WORDS),
    )
    for name in draw(st.lists(WORDS, max_size=2)) if levels else ():
        health.component_health_map[name].CopyFrom(draw(healths(levels - 1)))
    return health


STATUSES = st.builds(
    pb.RemoteConfigStatus,
    last_remote_config_hash=st.binary(max_size=40),
    status=st.integers(0, 3),
    error_message=WORDS,
)
PARTS = {
    "agent_description": descriptions(),
    "health": healths(),
    "remote_config_status": STATUSES,
    "agent_disconnect": st.builds(pb.AgentDisconnect),
    "custom_capabilities": st.builds(
        pb.CustomCapabilities, capabilities=st.lists(WORDS, max_size=3)
    ),
}


@st.composite
def reports(draw: st.DrawFn) -> pb.AgentToServer:
    """Return any AgentToServer."""
    parts: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=PARTS))
    return pb.AgentToServer(
        instance_uid=draw(st.binary(max_size=20)),
        sequence_num=draw(NUMBERS),
        capabilities=draw(NUMBERS),
        flags=draw(NUMBERS),
        **parts,
    )


@st.composite
def spoilt(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Return valid bytes with some cut off, put in, or changed."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        new = draw(st.binary(max_size=4))
        data[at : at + draw(st.integers(0, 4))] = new
    return bytes(data)


def masked(payload: bytes, mask: bytes = b"mask", opcode: int = frames.BINARY) -> bytes:
    """Return a client's frame."""
    first, size = 0x80 | opcode, len(payload)
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    return head + mask + frames.unmask(payload, mask)
