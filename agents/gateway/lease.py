"""The lease of one gateway: while it is renewed, its agents count as connected.

`agents.tasks.reconcile` ends leases that were not renewed. A gateway that finds its own lease
ended (it was cut off from the database) takes its agents back, except those that moved on.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from datetime import UTC, datetime
from uuid import UUID

from agents.gateway.database import AWAY, Database
from agents.gateway.registry.registry import Registry

logger = logging.getLogger(__name__)

SOON_S = 0.5


class Lease:
    """One row of agents_gatewaylease."""

    def __init__(self, database: Database, gateway_id: UUID) -> None:
        self._database = database
        self._id = gateway_id

    async def begin(self, port: int) -> None:
        """Write the lease."""
        now = _now()
        async with self._database.transaction() as cursor:
            await cursor.execute(
                "INSERT INTO agents_gatewaylease (id, host, port, pid, started_at, renewed_at) "
                "VALUES (%b, %b, %b, %b, %b, %b)",
                [self._id, socket.gethostname()[:200], port, os.getpid(), now, now],
            )

    async def renew(self, registry: Registry) -> None:
        """Renew the lease. If it had been ended meanwhile, connect our agents again."""
        async with self._database.transaction() as cursor:
            await cursor.execute(
                """
                WITH old AS (SELECT id, stopped_at FROM agents_gatewaylease
                             WHERE id = %b FOR NO KEY UPDATE)
                UPDATE agents_gatewaylease l SET renewed_at = %b, stopped_at = NULL
                FROM old WHERE l.id = old.id RETURNING old.stopped_at
                """,
                [self._id, _now()],
            )
            row = await cursor.fetchone()
            if row is not None and row[0] is None:
                return
            agents = list(registry.connected())
            ids = [a.id for a in agents]
            await cursor.execute(_CONNECT_AGAIN, [self._id, ids])
            await cursor.execute(_REOPEN_SESSIONS, [[a.session_id for a in agents]])
            await cursor.execute(_NEWS, [ids])

    async def run(self, registry: Registry, every_s: float) -> None:
        """Renew it until cancelled; twice a second while the database is away."""
        while True:
            pause_s = every_s
            try:
                await self.renew(registry)
            except AWAY as error:
                logger.warning("The lease could not be renewed", extra={"error": str(error)})
                pause_s = min(SOON_S, every_s)
            await asyncio.sleep(pause_s)

    async def end(self) -> None:
        """End the lease at once: a clean stop. What is still marked connected is ended with it."""
        async with self._database.transaction() as cursor:
            await cursor.execute(
                "UPDATE agents_gatewaylease SET stopped_at = %b WHERE id = %b", [_now(), self._id]
            )


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


_CONNECT_AGAIN = """
    UPDATE agents_agentstatus SET connected = true
    WHERE gateway_id = %b AND agent_id = ANY(%b::bigint[])
"""
_REOPEN_SESSIONS = """
    UPDATE agents_session SET disconnected_at = NULL, reason = ''
    WHERE id = ANY(%b::uuid[]) AND reason = 'gateway lost'
"""
_NEWS = """
    INSERT INTO agents_news (topic, agent_id)
    SELECT d.topic, d.agent_id FROM agents_desired d
    WHERE d.agent_id = ANY(%b::bigint[]) AND d.topic <> ''
"""
