"""One batch to PostgreSQL in one transaction, and what else is written in sets of rows."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.types.json import Jsonb

from agents.gateway.connections import Held
from agents.gateway.database import Database
from agents.gateway.metrics import Metrics
from agents.gateway.writing import statements
from agents.gateway.writing.rows import Batch, Row, Taken, at, collect
from agents.opamp.redact import Redactor
from agents.opamp.state import Changes

logger = logging.getLogger(__name__)

LARGE_BYTES = 32 * 1024


class Store:
    """Writes batches, and tells who is concerned: `on_written` with the ids that are no longer ours,
    `on_news` with the topics that wait for these agents."""

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        *,
        gateway_id: UUID,
        redactor: Redactor,
        on_written: Callable[[Taken, set[int]], None],
        on_news: Callable[[set[str]], Awaitable[None]],
    ) -> None:
        self._database = database
        self._metrics = metrics
        self._gateway_id = gateway_id
        self._redactor = redactor
        self._on_written = on_written
        self._on_news = on_news

    async def write(self, taken: Taken, opened: list[Row], closed: list[Row]) -> None:
        """Write one batch in one transaction, then tell who is concerned. Raises AWAY or psycopg.Error;
        then nothing is written."""
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
                (statements.REQUEST, batch.requests),
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

    def give_up(self, taken: Taken, error: Exception) -> None:
        """Drop what PostgreSQL refuses by itself: it would refuse it for ever."""
        self._metrics.refused.labels("not_storable").inc()
        logger.error(
            "A change could not be stored",
            extra={"agent": [agent.id for agent, _ in taken], "error": str(error)},
        )
        self._on_written(taken, set())

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

    async def write_tls_change(self, port: int, act: str, details: dict[str, object]) -> None:
        """Write a change of TLS to the audit log (security.md R7): `act` is of its words."""
        host = socket.gethostname()
        name = f"{host}:{port}"
        async with self._database.transaction() as cursor:
            values = (act, f"gateway {host}", name[:64], name, Jsonb(details))
            await cursor.execute(statements.TLS_CHANGE, values)


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
