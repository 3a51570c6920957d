"""Bytes of a WebSocket client in, frames and messages in pieces out (RFC 6455 section 5). Pure.

What is not whole yet is kept here; whether there is room to keep it is asked elsewhere, so the reader
says how much it `wants`, and reads past what may not be kept.
"""

from __future__ import annotations

from agents.opamp.websocket.frames import CONTINUATION, ProtocolError, measure, unmask

# Stands for an opcode: a frame that makes its message too large. Its bytes are read past.
TOO_BIG = -1
_FOR_EVER = 1 << 62
Frame = tuple[int, bool, bytes]
"""Opcode, whether it ends its message, payload without the mask."""


class FrameReader:
    """One direction of one connection: `feed` it, then call `next` until it returns None.

    `_data` from `_at` on is still to be read. `_buffer` holds a frame that is not whole, `wanted` its
    length once its head has come, else 0. `pieces` is what has come of a message in several frames.
    """

    __slots__ = ("_at", "_buffer", "_data", "_max_bytes", "_skipping", "pieces", "wanted")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._data = b""
        self._at = 0
        self._buffer: bytearray | None = None
        self.pieces: bytearray | None = None
        self._skipping = 0
        self.wanted = 0

    def feed(self, data: bytes) -> None:
        """Take bytes as they come."""
        if self._skipping:
            skipped = min(self._skipping, len(data))
            self._skipping -= skipped
            data = data[skipped:]
        if self._data:
            self._keep()
        if self._buffer is not None:
            self._buffer += data
            if len(self._buffer) < self.wanted:
                return
            data, self._buffer = bytes(self._buffer), None
            self.wanted = 0
        self._data = data

    def next(self) -> Frame | None:
        """Return the next frame, None when none is whole. Raises ProtocolError."""
        data, at = self._data, self._at
        if not data:
            return None
        sizes = measure(data, at)
        if sizes is None:
            self._keep()
            return None
        head, size = sizes
        start, end = at + head, at + head + size
        have = len(data)
        if size > self._max_bytes - (len(self.pieces) if self.pieces is not None else 0):
            self.pieces = None
            self._skipping = max(0, end - have)
            self._data, self._at = data[end:], 0
            return TOO_BIG, True, b""
        if end > have:
            self.wanted = head + size
            self._keep()
            return None
        if end == have:
            self._data, self._at = b"", 0
        else:
            self._at = end
        first = data[at]
        payload = unmask(data[start:end], data[start - 4 : start])
        return first & 0x0F, first > 0x7F, payload

    def _keep(self) -> None:
        """Keep what cannot be read now until more comes."""
        self._buffer = bytearray(self._data[self._at :] if self._at else self._data)
        self._data, self._at = b"", 0

    # --- Messages in pieces ----------------------------------------------------------------

    def join(self, opcode: int, is_final: bool, payload: bytes) -> bytes | None:
        """Put a piece to the others. Return the message when it is the last, else None. Raises
        ProtocolError when it is not its turn."""
        if (opcode == CONTINUATION) != (self.pieces is not None):
            raise ProtocolError("pieces of a message out of order")
        if self.pieces is None:
            self.pieces = bytearray()
        self.pieces += payload
        if not is_final:
            return None
        whole, self.pieces = bytes(self.pieces), None
        return whole

    # --- Reading past ----------------------------------------------------------------------

    def pass_over(self) -> None:
        """Read past the frame that is not whole, and keep nothing of its message."""
        if self._buffer is not None and self.wanted:
            self._skipping = self.wanted - len(self._buffer)
            self._buffer = None
            self.wanted = 0
        self.pieces = None

    def stop(self) -> None:
        """Keep nothing, and throw away whatever still comes."""
        self._data, self._at = b"", 0
        self._buffer = self.pieces = None
        self.wanted = 0
        self._skipping = _FOR_EVER
