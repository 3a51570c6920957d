"""OpAMP over WebSocket: one small protocol object a connection, no coroutine, no task.

A message that has come whole is answered within the call that brought it. That is why this is not
aiohttp's WebSocketResponse: a coroutine, its queue and its buffers cost more than OpAMP itself
(bench/gateway.py). Compression is declined, as it costs 90 KiB a connection (gateway.md 2).
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, cast

from agents.gateway.connections import WEBSOCKET, Connection
from agents.gateway.database import AWAY
from agents.gateway.principal import Principal
from agents.gateway.registry.budgets import Bucket, allows
from agents.gateway.registry.loader import UidRefused
from agents.opamp import frames
from agents.opamp.answer import error, unavailable
from agents.opamp.frames import ProtocolError
from agents.opamp.scan import measure
from agents.opamp.wire import Malformed, TooComplex, payload_of

if TYPE_CHECKING:
    from agents.gateway.sockets.reception import Reception

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
FAIL_TIMEOUT_S = 1.0


class Socket(Connection, asyncio.Protocol):
    """One upgraded connection. `_buffer` holds bytes that are not yet a whole frame, `_needed` how
    many there must be before looking again makes sense. `_fragments` is what has come of a message
    in several frames. `_reserved` is the room held for a message until it is whole and read."""

    __slots__ = (
        "_buffer",
        "_fragments",
        "_is_open",
        "_needed",
        "_patience",
        "_reception",
        "_reserved",
        "_skipping",
        "_work",
        "opened_at",
        "transport",
        "why",
    )
    kind = WEBSOCKET
    is_websocket = True

    def __init__(self, reception: Reception, peer: tuple[str, int], principal: Principal) -> None:
        super().__init__(peer, principal)
        self._reception = reception
        self._buffer: bytearray | None = None
        self._fragments: bytearray | None = None
        self._needed = 0
        self._patience: Bucket | None = None
        self._reserved = 0
        self._skipping = 0
        self._work: asyncio.Task[None] | None = None
        self._is_open = True
        self.opened_at = time.monotonic()
        self.transport: asyncio.Transport | None = None
        self.why = ""

    # --- asyncio's side --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; the upgrade has been answered already."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=self._reception.limits.lagging_bytes)
        self._reception.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is gone, and with it all agents that spoke on it."""
        self._is_open = False
        self.closing = True
        self.transport = None
        self._drop()
        self._reception.closed(self, self.why or "connection lost")

    def pause_writing(self) -> None:
        """The other end reads too slowly: what is still to be said is said when it has read."""
        self.is_lagging = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self.is_lagging, self.lagging_since = False, 0.0
        for agent in list(self.agents.values()):
            self._reception.gateway.push(agent)

    def data_received(self, data: bytes) -> None:
        """Take bytes: whole frames are handled now, the rest waits for more."""
        if self._skipping:
            data = self._skip(data)
        if self._buffer is not None:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return
            data, self._buffer = bytes(self._buffer), None
            self._needed = 0
        if self._work is not None:
            self._keep(data)
            return
        try:
            self._take(data)
        except ProtocolError as problem:
            self._fail(problem.code, str(problem), "protocol")
        if self._reserved and not self._needed and self._work is None:
            self._hold(self._kept_bytes())

    # --- Frames ----------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        """Handle all whole frames in `data` and keep the rest."""
        at, end = 0, len(data)
        limit = self._reception.limits.message_bytes
        while at < end and not (self.closing and not self._is_open):
            sizes = frames.measure(data, at)
            if sizes is None:
                break
            head, size = sizes
            if size > limit - self._fragment_bytes():
                self._too_big(at + head + size - end)
                at += head + size
                continue
            if at + head + size > end:
                self._expect(head + size, end - at)
                if self._skipping:
                    return
                break
            start = at + head
            payload = frames.unmask(data[start : start + size], data[start - 4 : start])
            first = data[at]
            at = start + size
            self._frame(first & 0x0F, bool(first & 0x80), payload)
            if self._work is not None:
                break
        if at < end:
            self._keep(data[at:] if at else data)

    def _keep(self, data: bytes) -> None:
        if self._buffer is None:
            self._buffer = bytearray(data)
        else:
            self._buffer += data

    def _expect(self, whole: int, have: int) -> None:
        """Prepare for a frame of which only a part has come; refuse it if there is no room."""
        if self._hold(self._kept_bytes() + whole):
            self._needed = whole
        else:
            # Read past it without keeping it.
            self._skipping = whole - have
            self._no_room()

    def _too_big(self, missing: int) -> None:
        """Close with 1009, reading past the rest of the frame, so that the client's Close is seen
        and the client reads why instead of a reset."""
        limit = self._reception.limits.message_bytes
        text = f"a message has at most {limit:,} bytes"
        self._reception.turned_away(self, "message_too_large", text)
        self._drop()
        self.close(frames.TOO_BIG, text)
        self._skipping = max(0, missing)

    def _skip(self, data: bytes) -> bytes:
        skipped = min(self._skipping, len(data))
        self._skipping -= skipped
        return data[skipped:]

    def _hold(self, size: int) -> bool:
        """Have room for so many bytes of the message that is coming, neither more nor less; False
        when there is not that much."""
        reception = self._reception
        if size > self._reserved and not reception.room.take(size - self._reserved):
            return False
        if size < self._reserved:
            reception.room.give(self._reserved - size)
        self._reserved = size
        if size:
            reception.receiving.setdefault(self, time.monotonic())
        else:
            reception.receiving.pop(self, None)
        return True

    def _drop(self) -> None:
        """Keep nothing of what has come in part."""
        self._buffer = self._fragments = None
        self._needed = 0
        self._hold(0)

    def _no_room(self) -> None:
        """Say that a message was not kept. One in pieces cannot be read past: its end may be far."""
        is_whole = self._fragments is None
        self._drop()
        self._reception.gateway.miss(self)
        self._refuse_for_now("Too much is being received; try again later.", "receiving")
        if not is_whole:
            self.close(frames.TRY_AGAIN_LATER, "too much is being received")

    def _fragment_bytes(self) -> int:
        return len(self._fragments) if self._fragments is not None else 0

    def _kept_bytes(self) -> int:
        """What a message in several frames holds: at least 1, so that it is never forgotten."""
        return max(1, self._fragment_bytes()) if self._fragments is not None else 0

    def too_slow(self) -> None:
        """The message that began a while ago is still not whole (security.md section 8)."""
        self._fail(frames.POLICY_VIOLATION, "the message did not come in time", "slow_message")

    def _frame(self, opcode: int, is_final: bool, payload: bytes) -> None:
        if self.closing and opcode != frames.CLOSE:
            return
        if opcode == frames.BINARY and is_final and self._fragments is None:
            self._message(payload)
        elif opcode in {frames.BINARY, frames.TEXT, frames.CONTINUATION}:
            self._fragment(opcode, is_final, payload)
        elif opcode == frames.PING:
            if not self.is_lagging:  # who does not read gets no more to read
                self._write(frames.control(frames.PONG, payload))
        elif opcode == frames.PONG:
            self.alive += 1
            self.answered_at = time.time()
        else:
            self._closed_by_client(payload)

    def _fragment(self, opcode: int, is_final: bool, payload: bytes) -> None:
        """Put a message in pieces together. A text message is malformed, whole or not."""
        if opcode == frames.TEXT:
            if self._fragments is not None:
                raise ProtocolError("a new message inside another")
            if not is_final:
                raise ProtocolError("text messages are not OpAMP", 1003)
            self.malformed("text messages are not OpAMP; send binary")
            return
        if (opcode == frames.CONTINUATION) != (self._fragments is not None):
            raise ProtocolError("pieces of a message out of order")
        if self._fragments is None:
            self._fragments = bytearray()
        self._fragments += payload
        if is_final:
            whole, self._fragments = bytes(self._fragments), None
            self._message(whole)
        elif not self._hold(self._kept_bytes()):
            self._no_room()

    # --- Messages --------------------------------------------------------------------------

    def _message(self, frame: bytes) -> None:
        """Answer one OpAMP message, now if it can be done without waiting."""
        reception, size = self._reception, len(frame)
        if self._reserved:
            reception.receiving.pop(self, None)
        reception.messages += 1
        reception.received_bytes += size
        limits = reception.limits
        if not allows(self, size, len(self.agents), limits, time.monotonic()):
            reception.gateway.miss(self, frame[1:] if frame[:1] == b"\x00" else frame)
            self._refuse_for_now("Too many messages; wait before the next one.", "too_fast")
            return
        try:
            payload = frame[1:] if frame[:1] == b"\x00" else payload_of(frame)
            if size > limits.scan_above_bytes:
                self._later(payload, is_large=True)
                return
            answer = reception.gateway.receive(self, payload)
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
                limits = self._reception.limits
                await asyncio.to_thread(
                    measure, payload, max_elements=limits.elements, max_depth=limits.depth
                )
            self.send(await self._reception.gateway.receive_first(self, payload))
        except TooComplex as problem:
            self.malformed(str(problem), payload)
            self.close(frames.POLICY_VIOLATION, "the message is too complex")
        except Malformed as problem:
            self.malformed(str(problem), payload)
        except UidRefused as problem:
            self._reception.turned_away(self, "uid_mismatch", str(problem), payload)
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
            self._reception.closed(self, self.why or "connection lost")
            return
        self._go_on()

    def _go_on(self) -> None:
        if self.transport is not None:
            self.transport.resume_reading()
        data, self._buffer = self._buffer, None
        if data:
            self.data_received(bytes(data))

    def malformed(self, text: str, message: bytes = b"") -> None:
        """Answer BadRequest; keep the connection, but not for ever (OP-25)."""
        self._reception.turned_away(self, "malformed", text, message)
        self.send(error(b"", text))
        self._offence("too many bad messages")

    def _refuse_for_now(self, text: str, reason: str) -> None:
        """Answer Unavailable, and close when it goes on (security.md section 8)."""
        self._reception.turned_away(self, reason, text)
        self.send(unavailable(b"", text, 30.0))
        self._offence("too many messages")

    def _offence(self, text: str) -> None:
        """Close when there are too many within a minute; few over months are no reason."""
        limits = self._reception.limits
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
            self._reception.sent_bytes += len(payload)

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
        self._reception.turned_away(self, reason, text)
        self._drop()
        self.close(code, text)
        self._skipping = 1 << 62
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
