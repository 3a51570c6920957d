"""instance_uid: always 16 bytes on the wire, made by us as UUID version 7 (OP-04). Pure."""

from __future__ import annotations

import secrets

SIZE = 16


def new_uid(unix_ms: int) -> bytes:
    """Return a UUID version 7 (RFC 9562 section 5.7) for this time."""
    random = bytearray(secrets.token_bytes(10))
    random[0] = 0x70 | random[0] & 0x0F
    random[2] = 0x80 | random[2] & 0x3F
    return (unix_ms & (1 << 48) - 1).to_bytes(6, "big") + bytes(random)


def claimed(message: bytes) -> str:
    """Return what a message calls its sender, right or wrong: the canonical text of 16 bytes, else
    printable text as it is or hex, at most 64 characters; "" when nothing can be read."""
    if message[:1] == b"\x00":
        message = message[1:]  # the header of a WebSocket message
    if message[:1] != b"\x0a" or len(message) < 2 or message[1] >= 0x80:
        return ""
    raw = message[2 : 2 + message[1]]
    if len(raw) == SIZE:
        return as_text(raw)
    return _printable(raw.decode("ascii")) if raw.isascii() else raw.hex()[:64]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:64]


def as_text(uid: bytes) -> str:
    """Return the canonical text of a 16-byte uid."""
    text = uid.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
