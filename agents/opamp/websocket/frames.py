"""WebSocket framing of a server (RFC 6455 section 5), without compression. Pure.

Only what OpAMP needs: one message in, one frame out. Server frames carry no mask; a client's must.
"""

from __future__ import annotations

import base64
import hashlib
import struct

try:
    from websockets.speedups import apply_mask
except ImportError:  # no compiled part for this Python: slower by 4 us for 2 KB
    from websockets.utils import apply_mask

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_CONTROL = 0x8
MAX_CONTROL_BYTES = 125

NORMAL = 1000
PROTOCOL_ERROR = 1002
POLICY_VIOLATION = 1008
TOO_BIG = 1009
INTERNAL_ERROR = 1011
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013
NO_STATUS = 1005

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FINAL = 0x80
_MASKED = 0x80
_NO_MASK = b"\x00\x00\x00\x00"
_SHORT = struct.Struct("!BBB").pack
_MEDIUM = struct.Struct("!BBHB").pack
_LONG = struct.Struct("!BBQB").pack
_U16 = struct.Struct("!H")
_U64 = struct.Struct("!Q")


class ProtocolError(ValueError):
    """The other end broke the WebSocket protocol: close with `code`."""

    def __init__(self, text: str, code: int = PROTOCOL_ERROR) -> None:
        super().__init__(text)
        self.code = code


def accept_key(key: str) -> str:
    """Return Sec-WebSocket-Accept for a client's Sec-WebSocket-Key (RFC 6455 section 4.2.2)."""
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def message(payload: bytes) -> bytes:
    """Return one binary frame holding OpAMP's zero header and the payload."""
    size = len(payload) + 1
    if size < 126:
        return _SHORT(_FINAL | BINARY, size, 0) + payload
    if size < 65536:
        return _MEDIUM(_FINAL | BINARY, 126, size, 0) + payload
    return _LONG(_FINAL | BINARY, 127, size, 0) + payload


def control(opcode: int, data: bytes = b"") -> bytes:
    """Return a control frame; the data is cut to 125 bytes."""
    data = data[:MAX_CONTROL_BYTES]
    return bytes((_FINAL | opcode, len(data))) + data


def closing(code: int, text: str = "") -> bytes:
    """Return a Close frame with code and reason."""
    reason = text.encode()[: MAX_CONTROL_BYTES - 2].decode("utf-8", "ignore").encode()
    return control(CLOSE, _U16.pack(code) + reason)


def close_code(data: bytes) -> int:
    """Return the code in a client's Close frame, 1005 when it has none. Raises ProtocolError."""
    if not data:
        return NO_STATUS
    if len(data) < 2:
        raise ProtocolError("a Close frame of one byte")
    code = int(_U16.unpack_from(data)[0])
    if code < 1000 or 1004 <= code <= 1006 or 1015 <= code < 3000 or code >= 5000:
        raise ProtocolError(f"close code {code}")
    return code


def measure(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Return (length of the head with mask, length of the payload) of the frame that starts at
    `at`, or None while its head is incomplete. Raises ProtocolError.
    """
    if len(data) - at < 2:
        return None
    first, second = data[at], data[at + 1]
    if first & 0x70:
        raise ProtocolError("reserved bits are set; no extension was agreed on")
    if not second & _MASKED:
        raise ProtocolError("a client must mask its frames")
    size = second & 0x7F
    opcode = first & 0x0F
    if opcode & _CONTROL:
        if size > MAX_CONTROL_BYTES or not first & _FINAL:
            raise ProtocolError("a control frame is too long or in pieces")
        if opcode > PONG:
            raise ProtocolError(f"opcode {opcode}")
    elif opcode > BINARY:
        raise ProtocolError(f"opcode {opcode}")
    if size < 126:
        return 6, size
    if size == 126:
        return (8, int(_U16.unpack_from(data, at + 2)[0])) if len(data) - at >= 4 else None
    if len(data) - at < 10:
        return None
    size = int(_U64.unpack_from(data, at + 2)[0])
    if size >> 63:
        raise ProtocolError("a length of 2**63 or more")
    return 14, size


def unmask(data: bytes, mask: bytes) -> bytes:
    """Return the data with the client's mask taken off."""
    return data if mask == _NO_MASK else apply_mask(data, mask)
