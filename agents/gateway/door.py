"""What happens before a request is served: limits, then credentials (security.md 3.1 and 8)."""

from __future__ import annotations

import json
import time
from collections import Counter

from aiohttp import web

from agents.gateway.auth import Denied, Doorkeeper
from agents.gateway.budgets import Bucket
from agents.gateway.encoding import retry_after
from agents.gateway.metrics import Metrics
from agents.gateway.options import Limits, is_loopback
from agents.gateway.principal import Principal

RETRY_AFTER_S = 30.0


class Door:
    """Counts who is inside and lets in who may come."""

    def __init__(self, keeper: Doorkeeper, limits: Limits, metrics: Metrics) -> None:
        self._keeper = keeper
        self._limits = limits
        self._metrics = metrics
        self._inside: Counter[str] = Counter()
        self._handshakes = Bucket(limits.handshakes_per_s, limits.handshakes_burst)
        self.is_draining = False
        self.is_overloaded = False

    async def admit(self, request: web.Request) -> Principal:
        """Return who asks. Raises Denied; nothing of the body has been read yet."""
        address = peer_of(request)[0]
        if self.is_draining or self.is_overloaded:
            what = "is stopping" if self.is_draining else "has too much unwritten"
            raise _busy(503, f"This gateway {what}; try again.", "draining")
        if not self._handshakes.take(time.monotonic()):
            raise _busy(503, "Too many connections at once; try again.", "handshakes")
        return await self._keeper.admit(address, request.headers.getall("Authorization", ()))

    def enter(self, address: str) -> None:
        """Count one WebSocket from this address. Raises Denied when there are too many."""
        limit = self._limits.connections_per_address
        if is_loopback(address):
            limit = self._limits.connections_on_loopback
        if self._inside[address] >= limit:
            raise _busy(429, f"There are {limit} connections from this address.", "per_address")
        self._inside[address] += 1

    def go(self, address: str) -> None:
        """Count one WebSocket less."""
        self._inside[address] -= 1
        if self._inside[address] <= 0:
            del self._inside[address]

    def refusal(self, denied: Denied) -> web.Response:
        """Return the HTTP answer of security.md section 9."""
        self._metrics.refused.labels(denied.code).inc()
        headers = {}
        if denied.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if denied.retry_after_s:
            headers["Retry-After"] = retry_after(denied.retry_after_s)
        return problem(denied.status, denied.code, denied.detail, headers)


def _busy(status: int, detail: str, why: str) -> Denied:
    return Denied(status, "overloaded", detail, why, retry_after_s=RETRY_AFTER_S)


def problem(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> web.Response:
    """Return a problem+json answer."""
    return web.Response(
        status=status,
        text=json.dumps({"code": code, "detail": detail}),
        content_type="application/problem+json",
        headers=headers,
    )


def peer_of(request: web.Request) -> tuple[str, int]:
    """Return address and port of the socket's other end; never of a forwarded header (R12)."""
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    if not peer:
        return ("unknown", 0)
    return (str(peer[0]), int(peer[1]))
