"""Batched writes: every 200 ms what changed, once per agent, in one transaction per batch.

Nothing here is lost while PostgreSQL is away: what was taken is put back under what came since,
so memory is bounded by the number of agents. When a batch is refused for its data, its agents are
written one by one and only the bad one is dropped, with a log line and a metric.
"""

from __future__ import annotations

import asyncio
import logging
import time
from itertools import islice
from typing import Protocol
from uuid import UUID

import psycopg

from agents.gateway.connections import Held
from agents.gateway.database import AWAY
from agents.gateway.metrics import Metrics
from agents.gateway.writing.rows import Row, Taken, at

logger = logging.getLogger(__name__)

MAX_BATCH = 1000
# What is made into rows in one go holds up the loop, and heartbeats with it: a health tree or config
# counts as so many plain changes, a full report with its description as so many.
WITH_BODIES, WITH_DESCRIPTION = 2, 4
_AFTER_FAILURE_S = (0.2, 0.5, 1.0, 2.0)


class Writer(Protocol):
    """Where batches go: `store.Store`."""

    async def write(self, taken: Taken, opened: list[Row], closed: list[Row]) -> None:
        """Write all of it or raise: AWAY, or psycopg.Error for data that is refused."""

    def give_up(self, taken: Taken, error: Exception) -> None:
        """Be told of what was refused by itself."""


class Flusher:
    """Collects changed agents and writes them. One task runs it; `mark` is called by all."""

    def __init__(self, store: Writer, metrics: Metrics, interval_s: float) -> None:
        self._store = store
        self._metrics = metrics
        self._interval_s = interval_s
        # By when they were marked, oldest first.
        self._dirty: dict[Held, float] = {}
        self._taken_since = 0.0
        self._opened: list[Row] = []
        self._closed: list[Row] = []
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()

    def mark(self, agent: Held) -> None:
        """Have the agent's changes written with the next flush."""
        if not self._dirty:
            self._wake.set()
        self._dirty.setdefault(agent, time.time())

    def open_session(self, row: Row) -> None:
        """Have a session written: id, agent, gateway, transport, address, principal, time."""
        self._opened.append(row)
        self._wake.set()

    def close_session(self, session_id: UUID, now: float, reason: str) -> None:
        """Have a session closed."""
        self._closed.append((session_id, at(now), reason[:200]))
        self._wake.set()

    @property
    def lag_s(self) -> float:
        """Return the age of the oldest change that waits. In a storm one flush may go on and on,
        so how long a flush takes says nothing."""
        return time.time() - next(iter(self._dirty.values())) if self._dirty else 0.0

    @property
    def unwritten(self) -> int:
        return len(self._dirty)

    async def run(self) -> None:
        """Flush for ever."""
        failures = 0
        while True:
            await self._wake.wait()
            if len(self._dirty) < MAX_BATCH:
                # A full batch waits for no other: in a push to 10,000 this was 0.2 s of 1.5.
                await asyncio.sleep(self._interval_s)
            self._wake.clear()
            if await self.flush():
                failures = 0
                if self._dirty:
                    # Marked meanwhile, behind others: `mark` wakes only for the first one.
                    self._wake.set()
            else:
                self._wake.set()
                await asyncio.sleep(_AFTER_FAILURE_S[min(failures, len(_AFTER_FAILURE_S) - 1)])
                failures += 1

    async def flush(self) -> bool:
        """Write all that is dirty now. False when the database was away and work is left."""
        async with self._writing:
            left = len(self._dirty)
            while left > 0 or self._opened or self._closed:
                before = len(self._dirty)
                taken = self._take()
                left -= before - len(self._dirty)
                if not await self._write(taken):
                    return False
                await asyncio.sleep(0)
        return True

    def _take(self) -> Taken:
        """Take the oldest changes, as many as may be made into rows without holding up the loop."""
        taken: Taken = []
        room = MAX_BATCH
        for agent in list(islice(self._dirty, MAX_BATCH)):
            if room <= 0:
                break
            marked_at = self._dirty.pop(agent)
            if room == MAX_BATCH:
                self._taken_since = marked_at
            changes, agent.changes = agent.changes, None
            if changes is None:
                continue
            taken.append((agent, changes))
            if changes.description is not None:
                room -= WITH_DESCRIPTION
            else:
                room -= WITH_BODIES if changes.bodies else 1
        return taken

    async def _write(self, taken: Taken) -> bool:
        opened, self._opened = self._opened, []
        closed, self._closed = self._closed, []
        started = time.perf_counter()
        try:
            await self._store.write(taken, opened, closed)
        except AWAY as error:
            self._put_back(taken, opened, closed)
            logger.warning("PostgreSQL is away, changes are kept", extra={"error": str(error)})
            return False
        except psycopg.Error as error:
            logger.error("A batch was refused, agents go one by one", extra={"error": str(error)})
            return await self._one_by_one(taken, opened, closed)
        self._metrics.flush_size.observe(len(taken))
        self._metrics.flush_duration.observe(time.perf_counter() - started)
        return True

    def _put_back(self, taken: Taken, opened: list[Row], closed: list[Row]) -> None:
        self._opened = opened + self._opened
        self._closed = closed + self._closed
        for agent, changes in taken:
            agent.change().absorb_older(changes)
        back = dict.fromkeys((agent for agent, _ in taken), self._taken_since)
        self._dirty = back | {a: since for a, since in self._dirty.items() if a not in back}

    async def _one_by_one(self, taken: Taken, opened: list[Row], closed: list[Row]) -> bool:
        """Write each agent by itself. A row that is refused again is dropped."""
        single: list[tuple[Taken, list[Row], list[Row]]] = [([one], [], []) for one in taken]
        single += [([], [row], []) for row in opened] + [([], [], [row]) for row in closed]
        for position, (agents, opening, closing) in enumerate(single):
            try:
                await self._store.write(agents, opening, closing)
            except AWAY:
                for left in single[position:]:
                    self._put_back(*left)
                return False
            except psycopg.Error as error:
                self._store.give_up(agents, error)
        return True
