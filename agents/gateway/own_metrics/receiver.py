"""Agents' own metrics: OTLP over HTTP at `/v1/metrics` of the gateway's port.

Protobuf and JSON, plain or gzip. The token in the offer names the agent (`token`); what an
export says of itself is not believed. Answers are those OTLP/HTTP clients expect: 200 with an empty
response or a partial success, 429 and 503 with Retry-After to be tried again, the rest final.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator

from aiohttp import web
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from agents.gateway.own_metrics.buffer import SeriesBuffer
from agents.gateway.own_metrics.otlp_pb2 import ExportMetricsServiceRequest
from agents.gateway.own_metrics.series import read
from agents.gateway.own_metrics.token import OwnMetricsTokens
from agents.gateway.registry.budgets import NoRoom, Room, Share
from agents.gateway.sockets.caller import peer_of
from agents.gateway.sockets.door import problem
from agents.gateway.sockets.encoding import BadEncoding, BodyTooLarge, collect, inflate, retry_after

logger = logging.getLogger(__name__)

PATH = "/v1/metrics"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
MAX_BYTES = 4 * 1024 * 1024
MAX_RECEIVING_BYTES = 64 * 1024 * 1024
BODY_S = 15.0
# Exports of one agent: a burst for split ones, then not more often than the finest slot is long.
MIN_GAP_S = 0.2
_BURST = 10


class ExportRefusal(Exception):
    """The export is answered with this instead."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(str(response.status))
        self.response = response


class OwnMetrics:
    """The door for own metrics. `run` writes what came in; cancel it and `flush` at the end."""

    def __init__(self, tokens: OwnMetricsTokens, buffer: SeriesBuffer) -> None:
        self._tokens = tokens
        self._buffer = buffer
        self._room = Room(MAX_RECEIVING_BYTES)
        self._allowances: dict[int, tuple[float, float]] = {}

    async def run(self) -> None:
        """Write own metrics for ever."""
        await self._buffer.run()

    async def flush(self) -> None:
        """Write what is left, when the gateway stops."""
        await self._buffer.flush()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one export."""
        try:
            agent_id = self._agent(request)
            is_json = self._is_json(request)
            self._check_rate(agent_id)
            body = await self._body(request)
            export = _parse(body, is_json)
        except ExportRefusal as refusal:
            return refusal.response
        sample, passed_over = read(export, time.time())
        if not self._buffer.add(agent_id, sample):
            return _busy("Too many agents send metrics to this gateway.")
        return _answer(passed_over, is_json)

    def _agent(self, request: web.Request) -> int:
        """Return who sends. Only the token counts."""
        headers = request.headers.getall("Authorization", [])
        scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
        agent_id = self._tokens.agent_of(token.strip()) if scheme.lower() == "bearer" else None
        if agent_id is None:
            logger.info("Refused own metrics", extra={"address": peer_of(request.transport)[0]})
            detail = "Send the Authorization header that was offered with own_metrics."
            raise ExportRefusal(
                problem(401, "credential_invalid", detail, {"WWW-Authenticate": "Bearer"})
            )
        return agent_id

    def _is_json(self, request: web.Request) -> bool:
        if request.content_type not in {PROTOBUF, JSON}:
            detail = f"Content-Type is {PROTOBUF} or {JSON}, not {request.content_type}."
            raise ExportRefusal(problem(415, "content_type", detail))
        return request.content_type == JSON

    def _check_rate(self, agent_id: int) -> None:
        now = time.monotonic()
        left, at = self._allowances.get(agent_id, (float(_BURST), now))
        left = min(float(_BURST), left + (now - at) / MIN_GAP_S)
        self._allowances[agent_id] = (max(0.0, left - 1.0), now)
        if left < 1.0:
            raise ExportRefusal(_busy("Own metrics come too often.", 429))

    async def _body(self, request: web.Request) -> bytes:
        coding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in {"gzip", "identity"}:
            detail = f"Content-Encoding is gzip or identity, not {coding}."
            raise ExportRefusal(problem(415, "encoding", detail))
        declared = request.content_length or 0
        too_large = problem(413, "too_large", f"An export has at most {MAX_BYTES:,} bytes.")
        if declared > MAX_BYTES:
            raise ExportRefusal(too_large)
        share = Share(self._room)
        try:
            share.grow(declared)
            async with asyncio.timeout(BODY_S):
                unpack = inflate if coding == "gzip" else collect
                return await unpack(_chunks(request), MAX_BYTES, share.grow)
        except NoRoom:
            raise ExportRefusal(_busy("Too much is being received; try again.")) from None
        except BodyTooLarge:
            raise ExportRefusal(too_large) from None
        except BadEncoding as bad:
            raise ExportRefusal(problem(400, "malformed", f"The body is not gzip: {bad}.")) from bad
        except TimeoutError:
            raise ExportRefusal(
                problem(408, "too_slow", "The body did not come in time.")
            ) from None
        finally:
            share.end()


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_any():
        yield chunk


def _parse(body: bytes, is_json: bool) -> ExportMetricsServiceRequest:
    try:
        if not is_json:
            return ExportMetricsServiceRequest.FromString(body)
        export = ExportMetricsServiceRequest()
        json_format.Parse(body, export, ignore_unknown_fields=True, max_recursion_depth=20)
    except (DecodeError, json_format.Error, UnicodeDecodeError, RecursionError) as bad:
        detail = f"The body is not an OTLP metrics export: {str(bad)[:200]}."
        raise ExportRefusal(problem(400, "malformed", detail)) from bad
    return export


def _answer(passed_over: int, is_json: bool) -> web.Response:
    """Say what was not taken as a partial success (OTLP/HTTP, ExportMetricsPartialSuccess)."""
    if not passed_over and not is_json:
        return web.Response(body=b"", content_type=PROTOBUF)
    text = "only cumulative points with finite values of nought and more are read"
    if is_json:
        rejected = {"rejectedDataPoints": str(passed_over), "errorMessage": text}
        return web.Response(
            text=json.dumps({"partialSuccess": rejected} if passed_over else {}), content_type=JSON
        )
    return web.Response(body=_partial_success(passed_over, text), content_type=PROTOBUF)


def _partial_success(rejected: int, text: str) -> bytes:
    """Write partial_success { 1: rejected_data_points, 2: error_message } by hand: two fields."""
    inner = b"\x08" + _varint(rejected) + b"\x12" + _varint(len(text)) + text.encode()
    return b"\x0a" + _varint(len(inner)) + inner


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _busy(detail: str, status: int = 503) -> web.Response:
    return problem(status, "overloaded", detail, {"Retry-After": retry_after(30.0)})
