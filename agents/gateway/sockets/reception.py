"""Where connections arrive: WebSocket upgrades are taken here, everything else goes to aiohttp.

One port serves both (OP-01). A connection that does not finish its request head in time is cut
(security.md R10); aiohttp would wait for ever.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from agents.gateway.principal import Principal
from agents.gateway.registry.gateway import Gateway
from agents.gateway.sockets.books import Books
from agents.gateway.sockets.caller import Caller, peer_of
from agents.gateway.sockets.door import Door
from agents.gateway.sockets.not_admitted import NotAdmitted
from agents.gateway.sockets.websocket import Socket
from agents.opamp.websocket import frames
from agents.opamp.websocket.upgrade_head import END, MAX_BYTES, Upgrade, read_upgrade

logger = logging.getLogger(__name__)

_GRACE_S = 1.0
_SWITCH = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: {}\r\n\r\n"
)


class Reception:
    """Makes a protocol for each connection. Those that become sockets are in the `books`."""

    def __init__(self, gateway: Gateway, door: Door, books: Books, paths: frozenset[str]) -> None:
        self.gateway = gateway
        self.books = books
        self.limits = gateway.options.limits
        self.door = door
        self.paths = paths
        self.http: Callable[[], asyncio.Protocol]
        self.arrivals: dict[Arrival, float] = {}

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return Arrival(self)

    def upgrade(self, transport: asyncio.Transport, upgrade: Upgrade, rest: bytes) -> None:
        """Admit a WebSocket, at once when the credential is known in memory."""
        address = peer_of(transport)[0]
        try:
            caller = self.door.callers.of(transport, upgrade.headers)
            address = caller.address
            if upgrade.problem:
                raise NotAdmitted(400, "upgrade", upgrade.problem)
            self.door.check_newcomer()
            principal = self.door.recognise(caller)
        except NotAdmitted as denied:
            self._refuse(transport, address, denied, upgrade.uid)
            return
        if principal is not None:
            self._accept(transport, caller, principal, upgrade, rest)
            return
        transport.pause_reading()
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._look_up(transport, caller, upgrade, rest), name="upgrade")
        self.gateway.keep(task)

    async def _look_up(
        self, transport: asyncio.Transport, caller: Caller, upgrade: Upgrade, rest: bytes
    ) -> None:
        try:
            principal = await self.door.look_up(caller)
        except NotAdmitted as denied:
            self._refuse(transport, caller.address, denied, upgrade.uid)
            return
        if not transport.is_closing():
            transport.resume_reading()
        self._accept(transport, caller, principal, upgrade, rest)

    def _accept(
        self,
        transport: asyncio.Transport,
        caller: Caller,
        principal: Principal,
        upgrade: Upgrade,
        rest: bytes,
    ) -> None:
        if transport.is_closing():
            return
        try:
            self.door.enter(caller.address)
        except NotAdmitted as denied:
            self._refuse(transport, caller.address, denied, upgrade.uid)
            return
        transport.write(_SWITCH.format(frames.accept_key(upgrade.key)).encode())
        socket = Socket(self.books, (caller.address, peer_of(transport)[1]), principal)
        transport.set_protocol(socket)
        socket.connection_made(transport)
        if rest:
            socket.data_received(rest)

    def _refuse(
        self, transport: asyncio.Transport, address: str, denied: NotAdmitted, claimed: str
    ) -> None:
        self.door.refused(address, denied, claimed)
        answer(transport, denied.status, denied.code, denied.detail, self.door.headers_of(denied))

    def look(self) -> None:
        """Cut connections that never finish asking."""
        now = time.monotonic()
        late = [a for a, since in self.arrivals.items() if now - since > self.limits.head_s]
        crowd = len(self.arrivals) - self.limits.unproven_connections
        if crowd > 0:
            oldest = list(self.arrivals.items())[:crowd]
            late += [a for a, since in oldest if now - since > _GRACE_S]
        for arrival in dict.fromkeys(late):
            self.books.refused("slow_head")
            arrival.abort()


class Arrival(asyncio.Protocol):
    """A connection whose request head has not come whole yet."""

    __slots__ = ("_buffer", "_reception", "_transport")

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._reception.arrivals[self] = time.monotonic()

    def connection_lost(self, exc: Exception | None) -> None:
        self._reception.arrivals.pop(self, None)

    def data_received(self, data: bytes) -> None:
        """Gather the head; then decide who serves the connection."""
        transport = self._transport
        if transport is None:
            return
        self._buffer += data
        end = self._buffer.find(END)
        if end < 0:
            if len(self._buffer) > MAX_BYTES:
                self._reception.books.refused("head_too_large")
                text = f"The head of a request has at most {MAX_BYTES:,} bytes."
                answer(transport, 431, "head_too_large", text, {})
            return
        self._reception.arrivals.pop(self, None)
        self._transport = None
        head, rest = self._buffer[: end + len(END)], self._buffer[end + len(END) :]
        upgrade = read_upgrade(head, self._reception.paths) if head.startswith(b"GET ") else None
        if upgrade is not None:
            self._reception.upgrade(transport, upgrade, rest)
            return
        handler = self._reception.http()
        transport.set_protocol(handler)
        handler.connection_made(transport)
        handler.data_received(self._buffer)

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()


def answer(
    transport: asyncio.WriteTransport,
    status: int,
    code: str,
    detail: str,
    headers: dict[str, str],
) -> None:
    """Write a problem+json answer by hand, before any upgrade, and close."""
    body = json.dumps({"code": code, "detail": detail}).encode()
    fields = {
        **headers,
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    phrase = HTTPStatus(status).phrase
    transport.write(f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n".encode() + body)
    transport.close()
