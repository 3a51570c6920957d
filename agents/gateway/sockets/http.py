"""OpAMP over plain HTTP: one POST, one answer (opamp-protocol.md 2.2)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator

from aiohttp import web

from agents.gateway.connections import HTTP, Connection
from agents.gateway.database import AWAY
from agents.gateway.principal import Principal
from agents.gateway.registry.budgets import NoRoom, Share, allows, carry_over
from agents.gateway.registry.gateway import Gateway
from agents.gateway.registry.loader import UidRefused
from agents.gateway.sockets.caller import Caller, peer_of
from agents.gateway.sockets.door import Door, problem
from agents.gateway.sockets.encoding import (
    BadEncoding,
    BodyTooLarge,
    accepts_gzip,
    collect,
    gzip,
    inflate,
    retry_after,
)
from agents.opamp.answer import error
from agents.opamp.scan import measure, split
from agents.opamp.uids import as_text, claimed
from agents.opamp.websocket.upgrade_head import PROTOBUF, UID_HEADER
from agents.opamp.wire import Malformed

logger = logging.getLogger(__name__)


class Refusal(Exception):
    """The request is answered with this instead."""

    def __init__(self, response: web.Response, code: str, detail: str) -> None:
        super().__init__(str(response.status))
        self.response, self.code, self.detail = response, code, detail


class HttpPolls:
    """Serves OpAMP requests over plain HTTP. One `Connection` stands for one TCP connection."""

    def __init__(self, gateway: Gateway, door: Door) -> None:
        self._gateway = gateway
        self._door = door
        self._limits = gateway.options.limits
        self._received = gateway.metrics.messages.labels(HTTP)

    async def serve(
        self, request: web.Request, caller: Caller, principal: Principal
    ) -> web.StreamResponse:
        """Answer one POST."""
        payload = b""
        try:
            payload = await self._body(request)
            connection = self._connection(request, caller, principal)
            self._check_rate(connection, payload)
            answer = await self._answer(request, connection, payload)
        except Refusal as refusal:
            if refusal.response.status < 500:
                named = claimed(payload) or request.headers.get(UID_HEADER, "")
                self._note(caller.address, principal, named, refusal.code, refusal.detail)
            return refusal.response
        return self._respond(request, answer)

    async def _body(self, request: web.Request) -> bytes:
        """Read the body within the limits, before and after decompression (OP-12, OP-13)."""
        coding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in {"gzip", "identity"}:
            raise self._refuse(
                415, "encoding", f"Content-Encoding is gzip or identity, not {coding}."
            )
        declared = request.content_length or 0
        limit = self._limits.message_bytes
        if declared > limit:
            raise self._refuse(413, "too_large", f"A message has at most {limit:,} bytes.")
        share = Share(self._gateway.room)
        try:
            share.grow(declared)
            async with asyncio.timeout(self._limits.body_s):
                read = inflate if coding == "gzip" else collect
                return await read(_chunks(request), limit, share.grow)
        except NoRoom:
            raise self._refuse(
                503, "overloaded", "Too much is being received; try again."
            ) from None
        except BodyTooLarge:
            raise self._refuse(
                413, "too_large", f"A message has at most {limit:,} bytes."
            ) from None
        except BadEncoding as bad:
            raise self._refuse(400, "malformed", f"The body is not gzip: {bad}.") from bad
        except ConnectionError as gone:
            # Nobody is there to read this.
            raise self._refuse(400, "malformed", "The body ended early.") from gone
        except TimeoutError:
            raise self._refuse(408, "too_slow", "The body did not come in time.") from None
        finally:
            share.end()

    def _connection(self, request: web.Request, caller: Caller, principal: Principal) -> Connection:
        """Return the `Connection` of this TCP connection and this credential: a proxy sends many
        over one."""
        peer = peer_of(request.transport)
        known = self._gateway.polls.get((*peer, principal.name))
        if known is not None and known.principal == principal:
            return known
        connection = Connection((caller.address, peer[1]), principal)
        self._gateway.polls[(*peer, principal.name)] = connection
        return connection

    def _check_rate(self, connection: Connection, payload: bytes) -> None:
        """Count a poll; a client that connects anew for each has no new budget each time."""
        now = time.monotonic()
        before = self._gateway.polled_before(payload) if not connection.refilled_at else None
        if before is not None:
            carry_over(before, connection)
        if not allows(connection, len(payload), len(connection.agents), self._limits, now):
            self._gateway.miss(connection, payload)
            raise self._refuse(429, "too_fast", "Too many requests; wait before the next one.")

    async def _answer(self, request: web.Request, connection: Connection, payload: bytes) -> bytes:
        self._received.inc()
        self._gateway.metrics.received.inc(len(payload))
        try:
            if len(payload) > self._limits.scan_above_bytes:
                limits = self._limits
                await asyncio.to_thread(
                    measure, payload, max_elements=limits.elements, max_depth=limits.depth
                )
            report = split(payload)
            named = request.headers.get(UID_HEADER)
            if named is not None and named.strip().lower() != _text(report.uid):
                return error(report.uid, f"{UID_HEADER} does not name the uid of the message")
            return await self._gateway.receive_poll(connection, payload)
        except Malformed as bad:
            self._gateway.metrics.refused.labels("malformed").inc()
            answer = self._bad_request(payload, str(bad))
            named = claimed(payload) or request.headers.get(UID_HEADER, "")
            address = connection.peer[0]
            self._note(address, connection.principal, named, "malformed", str(bad))
            return answer
        except UidRefused as bad:
            raise self._refuse(403, "uid_mismatch", str(bad)) from bad
        except (*AWAY, LookupError) as bad:
            logger.warning("An agent could not join", extra={"error": str(bad)})
            raise self._refuse(503, "unavailable", "Storage is away; try again later.") from bad

    def _bad_request(self, payload: bytes, text: str) -> bytes:
        """What cannot be decoded at all is a 400; the rest a 200 with the error, because clients
        read nothing else (OP-25)."""
        try:
            uid = split(payload).uid
        except Malformed:
            response = web.Response(status=400, body=error(b"", text), content_type=PROTOBUF)
            raise Refusal(response, "malformed", text) from None
        return error(uid, text)

    def _refuse(self, status: int, code: str, detail: str) -> Refusal:
        self._gateway.metrics.refused.labels(code).inc()
        headers = {"Retry-After": retry_after(30.0)} if status in {429, 503} else {}
        return Refusal(problem(status, code, detail, headers), code, detail)

    def _note(self, address: str, principal: Principal, named: str, code: str, detail: str) -> None:
        """Keep for operators whose request was refused, and why."""
        self._gateway.refusals.note(address, code, named, principal.name, detail)

    def _respond(self, request: web.Request, answer: bytes) -> web.Response:
        headers = {}
        if accepts_gzip(request.headers.getall("Accept-Encoding", ())):
            answer = gzip(answer)
            headers["Content-Encoding"] = "gzip"
        self._gateway.metrics.sent.inc(len(answer))
        return web.Response(body=answer, content_type=PROTOBUF, headers=headers)


def _text(uid: bytes) -> str:
    return as_text(uid) if len(uid) == 16 else uid.hex()


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_any():
        yield chunk
