"""Batched writes: every 200 ms what changed, once per agent, in one transaction per batch.

Nothing here is lost while PostgreSQL is away: what was taken is put back under what came since,
so memory is bounded by the number of agents. When a batch is refused for its data, its agents are
written one by one and only the bad one is dropped, with a log line and a metric.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncCursor

from agents.gateway.connections import Held
from agents.gateway.database import AWAY, Database
from agents.gateway.metrics import Metrics
from agents.gateway.writing import statements
from agents.gateway.writing.rows import Batch, Row, at, collect
from agents.opamp.redact import Redactor
from agents.opamp.state import Changes

logger = logging.getLogger(__name__)

MAX_BATCH = 1000
# What is made into rows in one go holds up the loop, and heartbeats with it: a health tree or config
# counts as so many plain changes, a full report with its description as so many.
WITH_BODIES, WITH_DESCRIPTION = 2, 4
LARGE_BYTES = 32 * 1024
_AFTER_FAILURE_S = (0.2, 0.5, 1.0, 2.0)
Taken = list[tuple[Held, Changes]]


class Flusher:
    """Collects changed agents and writes them. One task runs it; `mark` is called by all."""

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        *,
        gateway_id: UUID,
        redactor: Redactor,
        interval_s: float,
        on_written: Callable[[Taken, set[int]], None],
        on_news: Callable[[set[str]], Awaitable[None]],
    ) -> None:
        self._database = database
        self._metrics = metrics
        self._gateway_id = gateway_id
        self._redactor = redactor
        self._interval_s = interval_s
        self._on_written = on_written
        self._on_news = on_news
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
            await self._store(taken, opened, closed)
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

    async def _store(self, taken: Taken, opened: list[Row], closed: list[Row]) -> None:
        """Write one batch in one transaction, then tell who is concerned."""
        arguments = (taken, self._gateway_id, time.time(), self._redactor)
        if any(_is_large(changes) for _, changes in taken):
            # Redacting megabytes takes longer than heartbeats may wait.
            batch = await asyncio.to_thread(collect, *arguments)
        else:
            batch = collect(*arguments)
        settled: list[Any] = []
        topics: set[str] = set()
        async with self._database.transaction() as cursor:
            lost = await _write_owned(cursor, batch, opened, closed)
            if batch.deliveries:
                await statements.DELIVERY.run(cursor, batch.deliveries)
                settled = await cursor.fetchall()
            for statement, rows in (
                (statements.REFUSAL, batch.refusals),
                (statements.LIFT, batch.well),
                (statements.EVENT, batch.events),
                (statements.ORDERED_UID, batch.ordered_uids),
            ):
                if rows:
                    await statement.run(cursor, rows)
            if batch.visible:
                await cursor.execute(statements.NEWS, [batch.visible])
                topics = {row[0] for row in await cursor.fetchall()}
        self._count(settled)
        self._on_written(taken, lost)
        if batch.visible:
            await self._on_news(topics)

    def _count(self, settled: list[Any]) -> None:
        for state, ack_s, outcome_s in settled:
            if ack_s is not None:
                self._metrics.ack_duration.observe(ack_s)
            if state in {"applied", "failed"}:
                self._metrics.apply.inc()
                self._metrics.apply_duration.observe(outcome_s)
                (
                    self._metrics.apply_success if state == "applied" else self._metrics.apply_fail
                ).inc()

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
                await self._store(agents, opening, closing)
            except AWAY:
                for left in single[position:]:
                    self._put_back(*left)
                return False
            except psycopg.Error as error:
                self._metrics.refused.labels("not_storable").inc()
                logger.error(
                    "A change could not be stored",
                    extra={"agent": [a.id for a, _ in agents], "error": str(error)},
                )
                self._on_written(agents, set())
        return True

    async def write_seen(self, agents: Sequence[Held]) -> set[int]:
        """Write when these agents were last heard. Returns ids that are no longer ours."""
        mine = self._gateway_id
        rows = sorted((a.id, mine, at(a.last_seen), a.sequence_num) for a in agents)
        async with self._database.transaction() as cursor:
            await statements.SEEN.run(cursor, rows)
            found = {row[0] for row in await cursor.fetchall()}
        return {agent.id for agent in agents} - found

    async def write_refused(self, rows: list[Row]) -> None:
        """Write who was not let in (`statements.REFUSED`), and keep their table bounded."""
        of_address, of_all = statements.REFUSED_BOUNDS
        async with self._database.transaction() as cursor:
            await statements.REFUSED.run(cursor, rows)
            await cursor.execute(of_address, [sorted({row[0] for row in rows})])
            await cursor.execute(of_all)


def _is_large(changes: Changes) -> bool:
    description = changes.description
    return changes.body_bytes > LARGE_BYTES or (
        description is not None and len(description) > LARGE_BYTES
    )


async def _write_owned(
    cursor: AsyncCursor[Any], batch: Batch, opened: list[Row], closed: list[Row]
) -> set[int]:
    """Write what belongs to the owner of an agent. Return the agents that have another owner."""
    lost: set[int] = set()
    if batch.status:
        await statements.STATUS.run(cursor, batch.status)
        lost = {row[0] for row in batch.status} - {row[0] for row in await cursor.fetchall()}
        if lost:
            batch.without(lost)
    for statement, rows in (
        (statements.SESSION_OPENED, opened),
        (statements.SESSION_CLOSED, closed),
        (statements.SETTINGS, batch.settings),
        (statements.DESCRIPTION, batch.descriptions),
        (statements.CAPABILITIES, batch.capabilities),
        (statements.BODY, batch.bodies),
        (statements.COMPONENTS, batch.components),
    ):
        if rows:
            await statement.run(cursor, rows)
    return lost
