"""One walk over all agents every few seconds, instead of a timer each: silence, slow readers,
when they were last heard, and what the gateway says about itself."""

from __future__ import annotations

import asyncio
import logging
import math
import time

from agents.gateway.connections import Connection, Held
from agents.gateway.database import AWAY
from agents.gateway.registry.budgets import has_room
from agents.gateway.registry.gateway import Gateway
from agents.gateway.sockets.books import Books
from agents.gateway.sockets.listener import Listener
from agents.gateway.sockets.reception import Reception
from agents.models.status import SILENT
from agents.opamp import bits
from agents.opamp.websocket import frames

logger = logging.getLogger(__name__)

SLICE = 500


class Sweep:
    """Looks after agents that say nothing and connections that take nothing."""

    def __init__(
        self, gateway: Gateway, listener: Listener, reception: Reception, books: Books
    ) -> None:
        self._gateway = gateway
        self._listener = listener
        self._reception = reception
        self._books = books
        self._intervals = gateway.options.intervals
        self._seen_at = time.monotonic()

    async def run(self) -> None:
        """Walk for ever."""
        while True:
            await asyncio.sleep(self._intervals.sweep_s)
            await self.look(time.time())
            await self.write_refused()
            if time.monotonic() - self._seen_at >= self._intervals.last_seen_s:
                self._seen_at = time.monotonic()
                await self.write_seen()

    async def write_refused(self) -> None:
        """Write who was not let in. What PostgreSQL cannot take now is let go: they come again."""
        rows = self._gateway.refusals.take()
        if not rows:
            return
        try:
            await self._gateway.store.write_refused(rows)
        except AWAY as error:
            logger.warning("PostgreSQL is away", extra={"error": str(error)})

    async def look(self, now: float) -> None:
        """End what has been silent too long, ask who may be, or what was missed; cut slow readers."""
        asked: set[Connection] = set()
        for position, agent in enumerate(self._gateway.registry.connected(), start=1):
            pinged = self._pinged(agent)
            if pinged is not None:
                agent.last_seen = max(agent.last_seen, pinged.answered_at)
            quiet_s = now - agent.last_seen
            if quiet_s > self.silence_s(agent):
                await self._end(agent, now)
            elif agent.missed:
                self._ask_again(agent)
            elif quiet_s > self._intervals.ping_s and pinged is not None:
                asked.add(pinged)
            if position % SLICE == 0:
                await asyncio.sleep(0)
        for connection in asked:
            if not connection.is_lagging:  # who does not read gets no more to read
                connection.ping()
        for connection in list(self._gateway.connections):
            if connection.is_lagging:
                self._cut_lagging(connection, now)
        self._drop_polls()
        self._listener.look()
        self._reception.look()
        self._books.look()

    def silence_s(self, agent: Held) -> float:
        """Return how long an agent may say nothing (OP-36): three heartbeats if it promised them,
        three polls over HTTP. Over a WebSocket never longer than 150 s: who promised nothing, or
        less often, is pinged meanwhile, and its pong is a word."""
        connection = agent.connection
        if connection is None or not connection.is_websocket:
            missed = self._intervals.missed_heartbeats
            return missed * self._heartbeat_s(agent, self._intervals.http_poll_s)
        return min(self._promised_s(agent), self._intervals.silence_s)

    def _promised_s(self, agent: Held) -> float:
        """Return after how long its missing heartbeats say that it is gone."""
        if not agent.capabilities & bits.REPORTS_HEARTBEAT:
            return math.inf
        beat = self._heartbeat_s(agent, self._intervals.heartbeat_s)
        return self._intervals.missed_heartbeats * beat

    def _pinged(self, agent: Held) -> Connection | None:
        """Return the connection whose pongs are words of this agent. Not where heartbeats tell soon
        enough: a stuck agent whose library answers pings has stopped to beat."""
        connection = agent.connection
        if connection is None or not connection.is_websocket:
            return None
        return connection if self._promised_s(agent) > self._intervals.silence_s else None

    def _heartbeat_s(self, agent: Held, default: float) -> float:
        """Return the interval we offered, else the protocol's default."""
        offer = agent.wanted_settings or self._gateway.facts.default_settings
        opamp = offer.settings.get("opamp") if offer is not None else None
        return float(opamp["heartbeat_interval_seconds"]) if opamp else default

    def _ask_again(self, agent: Held) -> None:
        """Ask for what a budget refused, as soon as the answer would be taken: the agent may say
        nothing for long, or for ever, and would not know (OP-15)."""
        connection = agent.connection
        limits = self._gateway.options.limits
        if connection is not None and has_room(
            connection, len(connection.agents), limits, time.monotonic()
        ):
            self._gateway.push(agent)

    async def _end(self, agent: Held, now: float) -> None:
        connection = agent.connection
        if connection is None:
            return
        self._gateway.leave(connection, agent, SILENT, now)
        if connection.is_websocket and not connection.agents:
            connection.close(frames.NORMAL, "no heartbeat")

    def _cut_lagging(self, connection: Connection, now: float) -> None:
        """Cut a reader that has not caught up for 30 s: a Close frame would never arrive."""
        if not connection.lagging_since:
            connection.lagging_since = now
        elif now - connection.lagging_since > self._gateway.options.limits.lagging_s:
            self._gateway.metrics.refused.labels("slow_reader").inc()
            logger.info("Cut a slow reader", extra={"address": connection.address})
            connection.abort()

    def _drop_polls(self) -> None:
        """Forget TCP connections of plain HTTP that no agent uses any more."""
        polls = self._gateway.polls
        for peer in [peer for peer, connection in polls.items() if not connection.agents]:
            del polls[peer]

    async def write_seen(self) -> None:
        """Write when agents were last heard, in slices; learn here which ones have moved."""
        agents = [
            agent
            for agent in self._gateway.registry.connected()
            if agent.last_seen > agent.swept_at and agent.changes is None
        ]
        for start in range(0, len(agents), SLICE):
            part = agents[start : start + SLICE]
            heard = [(agent, agent.last_seen) for agent in part]
            try:
                lost = await self._gateway.store.write_seen(part)
            except AWAY as error:
                logger.warning("PostgreSQL is away", extra={"error": str(error)})
                return
            for agent, last_seen in heard:
                if agent.id in lost and agent.connected:
                    self._gateway.forget(agent)
                else:
                    agent.swept_at = last_seen
            await asyncio.sleep(0)
