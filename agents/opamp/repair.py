"""A part of a report with text that is not UTF-8, made readable (U+FFFD for each bad byte). Pure.

protobuf refuses a whole message for one such byte in a `string` field: a log line in another
encoding, cut in the middle of a letter, must not lose a health report. Only called when a part has
not parsed. The schema is followed, so bytes fields stay as they are; what cannot be walked stays
refused. Text grows at most three times.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_VARINT, _FIXED64, _LEN, _FIXED32 = 0, 1, 2, 5
# Above this a report is refused as before: no honest one is nested so deeply (protobuf's own limit).
_MAX_DEPTH = 100


class Unreadable(ValueError):
    """The bytes are wrong in another way than their text."""


def repaired(kind: Descriptor, raw: bytes) -> tuple[bytes, int]:
    """Return `raw`, a message of this kind, with readable text, and how many fields were not.

    Raises Unreadable.
    """
    try:
        return _message(kind, raw, _MAX_DEPTH)
    except IndexError:
        raise Unreadable("the message ends in the middle of a field") from None


def _message(kind: Descriptor, raw: bytes, depth: int) -> tuple[bytes, int]:
    if depth == 0:
        raise Unreadable(f"the message is nested more than {_MAX_DEPTH} levels deep")
    pieces: list[bytes] = []
    position = kept = count = 0
    while position < len(raw):
        tag, position = _number(raw, position)
        if tag & 7 != _LEN:
            position = _after(raw, position, tag & 7)
            continue
        size, start = _number(raw, position)
        end = start + size
        if end > len(raw):
            raise Unreadable("a field is longer than the message")
        value, bad = _value(kind.fields_by_number.get(tag >> 3), raw[start:end], depth)
        if bad:
            pieces += (raw[kept:position], _varint(len(value)), value)
            kept, count = end, count + bad
        position = end
    return b"".join((*pieces, raw[kept:])), count


def _value(field: FieldDescriptor | None, value: bytes, depth: int) -> tuple[bytes, int]:
    if field is None:
        return value, 0
    if field.type == FieldDescriptor.TYPE_STRING:
        try:
            value.decode()
        except UnicodeDecodeError:
            return value.decode(errors="replace").encode(), 1
        return value, 0
    inner: Descriptor | None = field.message_type
    return (value, 0) if inner is None else _message(inner, value, depth - 1)


def _number(raw: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise Unreadable("a number does not end")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _after(raw: bytes, position: int, kind: int) -> int:
    """Return the position after a field that holds no text."""
    if kind == _VARINT:
        return _number(raw, position)[1]
    if kind in (_FIXED64, _FIXED32):
        return position + (8 if kind == _FIXED64 else 4)
    raise Unreadable(f"there is no wire type {kind} here")
