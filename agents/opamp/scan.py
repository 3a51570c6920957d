"""The top level of an AgentToServer, read without parsing what is inside its parts. Pure.

Most reports repeat what was said before. A part whose bytes are unchanged need not be parsed, so
a message is first split into raw parts and only new ones are decoded. Also here: the count of
elements and depth of a large message, taken before a parser builds objects (security.md 8).
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError

from agents.opamp.opamp_pb2 import AgentToServer
from agents.opamp.wire import Malformed, TooComplex

_VARINT, _FIXED64, _LEN, _GROUP, _FIXED32 = 0, 1, 2, 3, 5
_DESCRIPTOR = AgentToServer.DESCRIPTOR
_FIELDS = _DESCRIPTOR.fields_by_name
DESCRIPTION = _FIELDS["agent_description"].number
HEALTH = _FIELDS["health"].number
EFFECTIVE_CONFIG = _FIELDS["effective_config"].number
REMOTE_CONFIG_STATUS = _FIELDS["remote_config_status"].number
PACKAGE_STATUSES = _FIELDS["package_statuses"].number
DISCONNECT = _FIELDS["agent_disconnect"].number
SETTINGS_REQUEST = _FIELDS["connection_settings_request"].number
CUSTOM_CAPABILITIES = _FIELDS["custom_capabilities"].number
CUSTOM_MESSAGE = _FIELDS["custom_message"].number
COMPONENTS = _FIELDS["available_components"].number
SETTINGS_STATUS = _FIELDS["connection_settings_status"].number
_PARTS = frozenset(f.number for f in _DESCRIPTOR.fields if f.message_type is not None)
_UID, _SEQUENCE, _CAPABILITIES, _FLAGS = 1, 2, 4, 10
_MASK64 = (1 << 64) - 1


class Report:
    """One AgentToServer: its plain fields, and its submessages as raw bytes by field number."""

    __slots__ = ("capabilities", "flags", "parts", "sequence_num", "uid")

    def __init__(self) -> None:
        self.uid = b""
        self.sequence_num = 0
        self.capabilities = 0
        self.flags = 0
        self.parts: dict[int, bytes] = {}

    @property
    def is_bare(self) -> bool:
        """Whether nothing but the uid was said: a sign of life, not a report (OP-19)."""
        return not (self.parts or self.sequence_num or self.capabilities or self.flags)


def split(payload: bytes) -> Report:
    """Read the top level of an AgentToServer. Raises Malformed.

    A part that occurs twice is joined: protobuf merges, and merging is concatenation.
    """
    try:
        return _split(payload)
    except IndexError:
        raise Malformed("the message ends in the middle of a field") from None


def _split(payload: bytes) -> Report:
    report = Report()
    position, end = 0, len(payload)
    parts = report.parts
    again: dict[int, list[bytes]] = {}
    while position < end:
        tag = payload[position]
        position += 1
        if tag > 0x7F:
            tag, position = _varint(payload, position - 1)
        kind, number = tag & 7, tag >> 3
        if kind == _LEN:
            size = payload[position]
            position += 1
            if size > 0x7F:
                size, position = _varint(payload, position - 1)
            value = payload[position : position + size]
            position += size
            if position > end or number == 0:
                raise Malformed("a field is longer than the message")
            if number in _PARTS:
                if number in parts:
                    again.setdefault(number, []).append(value)
                else:
                    parts[number] = value
            elif number == _UID:
                report.uid = value
        elif kind == _VARINT:
            plain, position = _varint(payload, position)
            _take_number(report, number, plain)
        else:
            position = _skip(payload, position, kind, number)
    for number, more in again.items():
        # At once: joined one by one, a megabyte in pieces of two bytes would take minutes.
        parts[number] = b"".join((parts[number], *more))
    return report


def _take_number(report: Report, number: int, value: int) -> None:
    if number == _SEQUENCE:
        report.sequence_num = value
    elif number == _CAPABILITIES:
        report.capabilities = value
    elif number == _FLAGS:
        report.flags = value
    elif number == 0:
        raise Malformed("there is no field 0")


def _skip(payload: bytes, position: int, kind: int, number: int) -> int:
    """Return the position after an unknown fixed-size field."""
    if number == 0:
        raise Malformed("there is no field 0")
    if kind == _FIXED64:
        position += 8
    elif kind == _FIXED32:
        position += 4
    elif kind == _GROUP:
        position = _after_group(payload, position, number)
    else:
        raise Malformed(f"there is no wire type {kind} here")
    if position > len(payload):
        raise Malformed("the message ends in the middle of a field")
    return position


def _after_group(payload: bytes, position: int, number: int) -> int:
    """Groups are gone from proto3, but an unknown field may still be one and must be ignored."""
    open_groups = [number]
    while open_groups:
        tag, position = _varint(payload, position)
        kind = tag & 7
        if kind == _GROUP:
            open_groups.append(tag >> 3)
            if len(open_groups) > 64:
                raise Malformed("groups are nested too deeply")
        elif kind == 4:
            if open_groups.pop() != tag >> 3:
                raise Malformed("a group does not end")
        elif kind == _VARINT:
            _, position = _varint(payload, position)
        elif kind == _LEN:
            size, position = _varint(payload, position)
            position += size
        else:
            position = _skip(payload, position, kind, tag >> 3)
    return position


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the number at `position` and the position after it."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _MASK64, position
        shift += 7
        if shift > 63:
            raise Malformed("a number does not end")


def measure(payload: bytes, *, max_elements: int, max_depth: int) -> None:
    """Raise TooComplex when an AgentToServer has too many elements or is nested too deeply.

    Follows the schema, so text that looks like a message is not entered. Stops at the limit.
    """
    stack: list[tuple[Any, int, int, int]] = [(_DESCRIPTOR, 0, len(payload), 1)]
    elements = 0
    try:
        while stack:
            kind, position, end, depth = stack.pop()
            if depth > max_depth:
                raise TooComplex(f"the message is nested more than {max_depth} levels deep")
            while position < end:
                elements += 1
                if elements > max_elements:
                    raise TooComplex(f"the message has more than {max_elements:,} elements")
                tag, position = _varint(payload, position)
                if tag & 7 == _LEN:
                    size, position = _varint(payload, position)
                    inner = _message_at(kind, tag >> 3)
                    if inner is not None:
                        stack.append((inner, position, min(position + size, end), depth + 1))
                    position += size
                elif tag & 7 == _VARINT:
                    _, position = _varint(payload, position)
                else:
                    position = _skip(payload, position, tag & 7, tag >> 3)
    except IndexError:
        raise Malformed("the message ends in the middle of a field") from None


def _message_at(kind: Descriptor | None, number: int) -> Descriptor | None:
    field: FieldDescriptor | None = kind.fields_by_number.get(number) if kind is not None else None
    return field.message_type if field is not None else None


def decode(payload: bytes) -> AgentToServer:
    """Parse all of a payload. Raises Malformed."""
    try:
        return AgentToServer.FromString(payload)
    except DecodeError as error:
        raise Malformed(f"not an AgentToServer: {error}") from error
