"""What happens before a request is served: limits, then credentials (security.md 3.1 and 8)."""

from __future__ import annotations

import json
import time
from collections import Counter

from aiohttp import web

from agents.gateway.metrics import Metrics
from agents.gateway.options import Limits, is_loopback
from agents.gateway.principal import Principal
from agents.gateway.refusals import Refusals
from agents.gateway.registry.budgets import Bucket
from agents.gateway.sockets.auth import Doorkeeper
from agents.gateway.sockets.caller import Caller, Callers
from agents.gateway.sockets.encoding import retry_after
from agents.gateway.sockets.not_admitted import NotAdmitted

RETRY_AFTER_S = 30.0


class Door:
    """Counts who is inside and lets in who may come."""

    def __init__(
        self,
        keeper: Doorkeeper,
        callers: Callers,
        limits: Limits,
        metrics: Metrics,
        refusals: Refusals,
    ) -> None:
        self._keeper = keeper
        self.callers = callers
        self._limits = limits
        self._metrics = metrics
        self._refusals = refusals
        self._inside: Counter[str] = Counter()
        self._handshakes = Bucket(limits.handshakes_per_s, limits.handshakes_burst)
        self.is_draining = False
        self.is_overloaded = False

    def check_newcomer(self) -> None:
        """Raise NotAdmitted when no new connection can be served now."""
        if self._keeper.is_blind:
            raise _busy(503, "This gateway cannot look up credentials; try another.", "blind")
        if self.is_draining or self.is_overloaded:
            what = "is stopping" if self.is_draining else "has too much unwritten"
            raise _busy(503, f"This gateway {what}; try again.", "draining")
        if not self._handshakes.take(time.monotonic()):
            raise _busy(503, "Too many connections at once; try again.", "handshakes")

    def recognise(self, caller: Caller) -> Principal | None:
        """Return who asks, if that is known in memory. Raises NotAdmitted; reads no body."""
        return self._keeper.recognise(caller)

    async def look_up(self, caller: Caller) -> Principal:
        """Return who asks, asking the database if needed. Raises NotAdmitted."""
        return await self._keeper.admit(caller)

    def enter(self, address: str) -> None:
        """Count one WebSocket from this address. Raises NotAdmitted when there are too many."""
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

    def headers_of(self, denied: NotAdmitted) -> dict[str, str]:
        """Return the headers that go with a refusal (security.md section 9)."""
        headers = {}
        if denied.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if denied.retry_after_s:
            headers["Retry-After"] = retry_after(denied.retry_after_s)
        return headers

    def refused(self, address: str, denied: NotAdmitted, claimed: str = "") -> None:
        """Count a refusal; operators see those that are the client's own doing."""
        self._metrics.refused.labels(denied.reason).inc()
        if denied.status < 500:
            detail = denied.why or denied.detail
            named = claimed or denied.holder
            self._refusals.note(address, denied.reason, named, denied.credential, detail)

    def refusal(self, address: str, denied: NotAdmitted, claimed: str = "") -> web.Response:
        """Return the HTTP answer of security.md section 9."""
        self.refused(address, denied, claimed)
        return problem(denied.status, denied.code, denied.detail, self.headers_of(denied))


def _busy(status: int, detail: str, why: str) -> NotAdmitted:
    return NotAdmitted(status, "overloaded", detail, why, retry_after_s=RETRY_AFTER_S)


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
