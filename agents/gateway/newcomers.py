"""TCP connections that have not sent a whole request head yet (security.md R10, section 8).

aiohttp waits for ever for the rest of a head. Those that take longer than 10 s are cut; beyond
1,000 of them at a time, the oldest are cut earlier.
"""

from __future__ import annotations

import time

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from agents.gateway.metrics import Metrics
from agents.gateway.options import Limits

_GRACE_S = 1.0


class Newcomers:
    """Watches the connections of a server from outside, once a sweep."""

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self._known: set[RequestHandler] = set()
        self._since: dict[RequestHandler, float] = {}
        self.servers: list[web.Server] = []

    def has_asked(self, handler: RequestHandler) -> None:
        """This connection has sent a whole request."""
        self._known.add(handler)

    def look(self) -> None:
        """Cut the connections that never finish asking."""
        now = time.monotonic()
        standing = {handler for server in self.servers for handler in server.connections}
        self._known &= standing
        new = standing - self._known
        self._since = {handler: self._since.get(handler, now) for handler in new}
        limit = now - self._limits.head_s
        late = [handler for handler, since in self._since.items() if since < limit]
        crowd = len(self._since) - self._limits.unproven_connections
        if crowd > 0:
            oldest = sorted(self._since, key=self._since.__getitem__)[:crowd]
            late += [h for h in oldest if self._since[h] < now - _GRACE_S]
        for handler in set(late):
            self._metrics.refused.labels("slow_head").inc()
            if handler.transport is not None:
                handler.transport.abort()
