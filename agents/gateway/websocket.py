"""OpAMP over WebSocket: one coroutine a connection, answers written at once (OP-01, OP-09).

No compression is negotiated: clients fall back to plain frames, and a connection costs 17 KiB
instead of 109 (gateway.md section 2).
"""

from __future__ import annotations

import asyncio
import logging
import time

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from agents.gateway.auth import Denied
from agents.gateway.budgets import allows
from agents.gateway.connections import WEBSOCKET, Connection
from agents.gateway.database import AWAY
from agents.gateway.door import Door, peer_of
from agents.gateway.gateway import Gateway
from agents.gateway.loader import UidRefused
from agents.gateway.options import Limits
from agents.gateway.principal import Principal
from agents.opamp.answer import error, unavailable
from agents.opamp.scan import measure
from agents.opamp.wire import Malformed, payload_of

logger = logging.getLogger(__name__)

_GOING = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR})
_CLOSE_TIMEOUT_S = 5.0


class WebSockets:
    """Serves WebSocket connections of agents."""

    def __init__(self, gateway: Gateway, door: Door) -> None:
        self._gateway = gateway
        self._door = door
        self._limits: Limits = gateway.options.limits
        self._received = gateway.metrics.messages.labels(WEBSOCKET)

    async def serve(self, request: web.Request, principal: Principal) -> web.StreamResponse:
        """Upgrade and serve until either side closes."""
        peer = peer_of(request)
        try:
            self._door.enter(peer[0])
        except Denied as denied:
            return self._door.refusal(denied)
        connection = Connection(WEBSOCKET, peer, principal)
        # aiohttp refuses what reaches its limit; ours may be reached (GO-30).
        ws = web.WebSocketResponse(
            compress=False,
            autoping=False,
            max_msg_size=self._limits.message_bytes + 1,
            timeout=_CLOSE_TIMEOUT_S,
            decode_text=False,
        )
        reason = "connection lost"
        try:
            await ws.prepare(request)
            connection.ws = ws
            connection.transport = request.transport
            self._gateway.connections.add(connection)
            reason = await self._talk(connection, ws)
        except ConnectionResetError:
            # Gone before the upgrade or the answer was sent: an ordinary end, not an error.
            logger.debug("An agent left early", extra={"address": peer[0]})
        finally:
            connection.closing = True
            self._door.go(peer[0])
            self._gateway.close(connection, reason)
        return ws

    async def _talk(self, connection: Connection, ws: web.WebSocketResponse) -> str:
        """Answer message after message. Return why it ended."""
        try:
            async with asyncio.timeout(self._limits.first_message_s):
                message = await ws.receive()
        except TimeoutError:
            await ws.close(code=WSCloseCode.POLICY_VIOLATION, message=b"no message within 30 s")
            return "no first message"
        while True:
            kind = message.type
            if kind is WSMsgType.BINARY:
                await self._binary(connection, message.data)
            elif kind in _GOING:
                return self._why(ws, message)
            elif kind is WSMsgType.PING:
                await ws.pong(message.data)
            elif kind is WSMsgType.PONG:
                connection.alive += 1
            else:
                await self._malformed(connection, "text messages are not OpAMP; send binary")
            message = await ws.receive()

    def _why(self, ws: web.WebSocketResponse, message: WSMessage) -> str:
        if message.type is WSMsgType.ERROR and ws.close_code == WSCloseCode.MESSAGE_TOO_BIG:
            self._gateway.metrics.refused.labels("message_too_large").inc()
        if ws.close_code in {None, WSCloseCode.ABNORMAL_CLOSURE}:
            return "connection lost"
        return f"closed {ws.close_code}"

    async def _binary(self, connection: Connection, frame: bytes) -> None:
        self._received.inc()
        size = len(frame)
        self._gateway.metrics.received.inc(size)
        if not allows(connection, size, len(connection.agents), self._limits, time.monotonic()):
            await self._too_fast(connection)
            return
        try:
            payload = frame[1:] if frame[:1] == b"\x00" else payload_of(frame)
            if size > self._limits.scan_above_bytes:
                await self._measure(payload)
            answer = self._gateway.receive(connection, payload)
            if answer is None:
                answer = await self._gateway.receive_first(connection, payload)
        except Malformed as problem:
            await self._malformed(connection, str(problem))
        except UidRefused as problem:
            self._gateway.metrics.refused.labels("uid_mismatch").inc()
            connection.send(error(b"", str(problem)))
            await self.close(connection, WSCloseCode.POLICY_VIOLATION, "uid_mismatch")
        except (*AWAY, LookupError) as problem:
            logger.warning("An agent could not join", extra={"error": str(problem)})
            connection.send(unavailable(b"", "Storage is away; try again later.", 30.0))
        else:
            connection.send(answer)
            self._gateway.metrics.sent.inc(len(answer))
            if connection.unsent_bytes() > self._limits.lagging_bytes:
                connection.is_lagging = True

    async def _measure(self, payload: bytes) -> None:
        """Count a large message's elements off the loop, before it becomes objects."""
        limits = self._limits
        await asyncio.to_thread(
            measure, payload, max_elements=limits.elements, max_depth=limits.depth
        )

    async def _malformed(self, connection: Connection, text: str) -> None:
        """Answer BadRequest; keep the connection, but not for ever (OP-25)."""
        self._gateway.metrics.refused.labels("malformed").inc()
        connection.send(error(b"", text))
        connection.bad_messages += 1
        if connection.bad_messages >= self._limits.bad_messages:
            await self.close(connection, WSCloseCode.POLICY_VIOLATION, "too many bad messages")

    async def _too_fast(self, connection: Connection) -> None:
        """Answer Unavailable once, then close (security.md section 8)."""
        self._gateway.metrics.refused.labels("too_fast").inc()
        connection.send(unavailable(b"", "Too many messages; wait before the next one.", 30.0))
        connection.bad_messages += 1
        if connection.bad_messages >= self._limits.bad_messages:
            await self.close(connection, WSCloseCode.POLICY_VIOLATION, "too many messages")

    async def close(self, connection: Connection, code: int, text: str) -> None:
        """Send a Close frame and finish the handshake (OP-09)."""
        if connection.ws is not None and not connection.closing:
            connection.closing = True
            await connection.ws.close(code=code, message=text.encode()[:123])
