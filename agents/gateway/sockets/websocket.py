"""OpAMP over WebSocket: one small protocol object a connection, no coroutine, no task.

A message that has come whole is answered within the call that brought it. That is why this is not
aiohttp's WebSocketResponse: a coroutine, its queue and its buffers cost more than OpAMP itself
(bench/gateway). Compression is declined, as it costs 90 KiB a connection (gateway.md 2).
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import cast

from agents.gateway.database import AWAY
from agents.gateway.principal import Principal
from agents.gateway.registry.budgets import Bucket, allows
from agents.gateway.registry.loader import UidRefused
from agents.gateway.sockets.books import Books, OpenSocket
from agents.opamp.answer import error, unavailable
from agents.opamp.scan import measure
from agents.opamp.websocket import frames
from agents.opamp.websocket.frame_reader import TOO_BIG, FrameReader
from agents.opamp.websocket.frames import ProtocolError
from agents.opamp.wire import Malformed, TooComplex, payload_of

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
FAIL_TIMEOUT_S = 1.0


class Socket(OpenSocket, asyncio.Protocol):
    """One upgraded connection. `_reserved` is the room held for a message until it is whole and read.
    `_work` is a message that cannot be answered at once; what comes meanwhile waits."""

    __slots__ = ("_books", "_is_open", "_patience", "_reader", "_reserved", "_work", "transport")

    def __init__(self, books: Books, peer: tuple[str, int], principal: Principal) -> None:
        super().__init__(peer, principal)
        self._books = books
        self._reader = FrameReader(books.limits.message_bytes)
        self._patience: Bucket | None = None
        self._reserved = 0
        self._work: asyncio.Task[None] | None = None
        self._is_open = True
        self.transport: asyncio.Transport | None = None

    # --- asyncio's side --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; the upgrade has been answered already."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=self._books.limits.lagging_bytes)
        self._books.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is gone, and with it all agents that spoke on it."""
        self._is_open = False
        self.closing = True
        self.transport = None
        self._reader.stop()
        self._hold(0)
        self._books.closed(self, self.why or "connection lost")

    def pause_writing(self) -> None:
        """The other end reads too slowly: what is still to be said is said when it has read."""
        self.is_lagging = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self.is_lagging, self.lagging_since = False, 0.0
        for agent in list(self.agents.values()):
            self._books.gateway.push(agent)

    def data_received(self, data: bytes) -> None:
        """Take bytes: whole frames are handled now, the rest waits for more."""
        self._reader.feed(data)
        if self._work is None:
            self._read()

    # --- Frames ----------------------------------------------------------------------------

    def _read(self) -> None:
        """Handle all whole frames."""
        reader = self._reader
        try:
            while self._is_open or not self.closing:
                frame = reader.next()
                if frame is None:
                    break
                opcode, is_final, payload = frame
                if opcode == frames.BINARY and is_final and reader.pieces is None:
                    self._message(payload)
                else:
                    self._rare(opcode, is_final, payload)
                if self._work is not None:
                    return
        except ProtocolError as problem:
            self._fail(problem.code, str(problem), "protocol")
        if reader.wanted:
            if not self._hold(self._kept_bytes() + reader.wanted):
                self._no_room()
        elif self._reserved:
            self._hold(self._kept_bytes())

    def _too_big(self) -> None:
        """Close with 1009, reading past the rest of the frame, so that the client's Close is seen
        and the client reads why instead of a reset."""
        text = f"a message has at most {self._books.limits.message_bytes:,} bytes"
        self._books.turned_away(self, "message_too_large", text)
        self._hold(0)
        self.close(frames.TOO_BIG, text)

    def _hold(self, size: int) -> bool:
        """Have room for so many bytes of the message that is coming, neither more nor less; False
        when there is not that much."""
        books = self._books
        if size > self._reserved and not books.room.take(size - self._reserved):
            return False
        if size < self._reserved:
            books.room.give(self._reserved - size)
        self._reserved = size
        if size:
            books.receiving.setdefault(self, time.monotonic())
        else:
            books.receiving.pop(self, None)
        return True

    def _no_room(self) -> None:
        """Say that a message was not kept. One in pieces cannot be read past: its end may be far."""
        is_whole = self._reader.pieces is None
        self._reader.pass_over()
        self._hold(0)
        self._books.gateway.miss(self)
        self._refuse_for_now("Too much is being received; try again later.", "receiving")
        if not is_whole:
            self.close(frames.TRY_AGAIN_LATER, "too much is being received")

    def _kept_bytes(self) -> int:
        """What a message in several frames holds: at least 1, so that it is never forgotten."""
        pieces = self._reader.pieces
        return max(1, len(pieces)) if pieces is not None else 0

    def too_slow(self) -> None:
        """The message that began a while ago is still not whole (security.md section 8)."""
        self._fail(frames.POLICY_VIOLATION, "the message did not come in time", "slow_message")

    def _rare(self, opcode: int, is_final: bool, payload: bytes) -> None:
        """Handle any frame but a whole message."""
        if self.closing and opcode not in {frames.CLOSE, TOO_BIG}:
            return
        if opcode in {frames.BINARY, frames.TEXT, frames.CONTINUATION}:
            self._fragment(opcode, is_final, payload)
        elif opcode == frames.PING:
            if not self.is_lagging:  # who does not read gets no more to read
                self._write(frames.control(frames.PONG, payload))
        elif opcode == frames.PONG:
            self.alive += 1
            self.answered_at = time.time()
        elif opcode == TOO_BIG:
            self._too_big()
        else:
            self._closed_by_client(payload)

    def _fragment(self, opcode: int, is_final: bool, payload: bytes) -> None:
        """Put a message in pieces together. A text message is malformed, whole or not."""
        if opcode == frames.TEXT:
            if self._reader.pieces is not None:
                raise ProtocolError("a new message inside another")
            if not is_final:
                raise ProtocolError("text messages are not OpAMP", 1003)
            self.malformed("text messages are not OpAMP; send binary")
            return
        whole = self._reader.join(opcode, is_final, payload)
        if whole is not None:
            self._message(whole)
        elif not self._hold(self._kept_bytes()):
            self._no_room()

    # --- Messages --------------------------------------------------------------------------

    def _message(self, frame: bytes) -> None:
        """Answer one OpAMP message, now if it can be done without waiting."""
        if self.closing:
            return
        books, size = self._books, len(frame)
        if self._reserved:
            books.receiving.pop(self, None)
        books.messages += 1
        books.received_bytes += size
        limits = books.limits
        if not allows(self, size, len(self.agents), limits, time.monotonic()):
            books.gateway.miss(self, frame[1:] if frame[:1] == b"\x00" else frame)
            self._refuse_for_now("Too many messages; wait before the next one.", "too_fast")
            return
        try:
            payload = frame[1:] if frame[:1] == b"\x00" else payload_of(frame)
            if size > limits.scan_above_bytes:
                self._later(payload, is_large=True)
                return
            answer = books.gateway.receive(self, payload)
        except Malformed as problem:
            self.malformed(str(problem), frame)
            return
        if answer is None:
            self._later(payload, is_large=False)
        else:
            self.send(answer)

    def _later(self, payload: bytes, *, is_large: bool) -> None:
        """Answer when the agent is loaded or the message measured. What comes meanwhile waits."""
        if self.transport is not None:
            self.transport.pause_reading()
        loop = asyncio.get_running_loop()
        self._work = loop.create_task(self._wait(payload, is_large), name="message")

    async def _wait(self, payload: bytes, is_large: bool) -> None:
        try:
            if is_large:
                limits = self._books.limits
                await asyncio.to_thread(
                    measure, payload, max_elements=limits.elements, max_depth=limits.depth
                )
            self.send(await self._books.gateway.receive_first(self, payload))
        except TooComplex as problem:
            self.malformed(str(problem), payload)
            self.close(frames.POLICY_VIOLATION, "the message is too complex")
        except Malformed as problem:
            self.malformed(str(problem), payload)
        except UidRefused as problem:
            self._books.turned_away(self, "uid_mismatch", str(problem), payload)
            self.send(error(b"", str(problem)))
            self.close(frames.POLICY_VIOLATION, "uid_mismatch")
        except (*AWAY, LookupError) as problem:
            logger.warning("An agent could not join", extra={"error": str(problem)})
            self.send(unavailable(b"", "Storage is away; try again later.", 30.0))
        except Exception:
            # Nobody would go on reading from this connection, and the agent would wait for ever.
            logger.exception("A message could not be handled")
            self.close(frames.INTERNAL_ERROR, "the message could not be handled")
        finally:
            self._work = None
            self._hold(0)
        if not self._is_open:
            # It went while its agent was being loaded.
            self._books.closed(self, self.why or "connection lost")
            return
        self._go_on()

    def _go_on(self) -> None:
        if self.transport is not None:
            self.transport.resume_reading()
        self._read()

    def malformed(self, text: str, message: bytes = b"") -> None:
        """Answer BadRequest; keep the connection, but not for ever (OP-25)."""
        self._books.turned_away(self, "malformed", text, message)
        self.send(error(b"", text))
        self._offence("too many bad messages")

    def _refuse_for_now(self, text: str, reason: str) -> None:
        """Answer Unavailable, and close when it goes on (security.md section 8)."""
        self._books.turned_away(self, reason, text)
        self.send(unavailable(b"", text, 30.0))
        self._offence("too many messages")

    def _offence(self, text: str) -> None:
        """Close when there are too many within a minute; few over months are no reason."""
        limits = self._books.limits
        if self._patience is None:
            per_s = limits.bad_messages / limits.bad_messages_s
            self._patience = Bucket(per_s, limits.bad_messages - 1)
        if not self._patience.take(time.monotonic()):
            self.close(frames.POLICY_VIOLATION, text)

    # --- Sending and closing ---------------------------------------------------------------

    def send(self, payload: bytes) -> None:
        """Send one ServerToAgent."""
        if not self.closing:
            self._write(frames.message(payload))
            self._books.sent_bytes += len(payload)

    def _write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def ping(self) -> None:
        self._write(frames.control(frames.PING, b"tidegate"))

    def close(self, code: int, text: str) -> None:
        """Send a Close frame; the TCP connection ends with the client's, or after 5 s (OP-09)."""
        if self.closing:
            return
        self._write(frames.closing(code, text))
        self.closing = True
        self.why = self.why or f"closed {code}"
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self.abort)

    def _fail(self, code: int, text: str, reason: str) -> None:
        """Close where frames cannot be told apart any more: what still comes is thrown away for a
        second, so that the Close frame arrives."""
        self._books.turned_away(self, reason, text)
        self._reader.stop()
        self._hold(0)
        self.close(code, text)
        asyncio.get_running_loop().call_later(FAIL_TIMEOUT_S, self.abort)

    def _closed_by_client(self, payload: bytes) -> None:
        code = frames.close_code(payload)
        if not self.closing:
            echoed = frames.NORMAL if code == frames.NO_STATUS else code
            self._write(frames.closing(echoed))
            self.closing = True
            self.why = f"closed {code}"
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()
