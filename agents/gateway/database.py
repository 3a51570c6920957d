"""One PostgreSQL connection of the gateway's own: raw psycopg, reopened when it was lost.

The ORM has no place in the message path (148 us an update against 17 us a message, gateway.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import psycopg
from django.db import connection as django_connection

logger = logging.getLogger(__name__)

# Errors after which the same statement can succeed later, on this or a new connection.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, OSError, TimeoutError)
_TIMEOUT_S = 10.0
# A server that vanished without a word is noticed within about this long, not after TCP's quarter of
# an hour; what DATABASE_URL says of it comes first.
_NOTICE_LOSS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}


def connection_arguments() -> dict[str, Any]:
    """Return what psycopg needs to reach the database of Django's settings."""
    found = dict(django_connection.get_connection_params())
    for name in ("pool", "cursor_factory", "context", "prepare_threshold", "server_side_binding"):
        found.pop(name, None)
    return {**_NOTICE_LOSS, **found}


class Database:
    """A connection used by one task at a time. `transaction()` raises one of AWAY when it is lost."""

    def __init__(self, arguments: dict[str, Any], name: str) -> None:
        self._arguments = {**arguments, "application_name": f"tidegate-gateway-{name}"}
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._lock = asyncio.Lock()
        self.is_away = False

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[psycopg.AsyncCursor[Any]]:
        """Give a cursor inside one transaction."""
        async with self._lock:
            try:
                connection = await self._open()
                async with connection.transaction(), connection.cursor() as cursor:
                    yield cursor
            except AWAY:
                self.is_away = True
                await self._drop()
                raise
            self.is_away = False

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        """Run one reading statement and return its rows."""
        async with self.transaction() as cursor:
            await cursor.execute(query, values, binary=True)
            return await cursor.fetchall()

    async def close(self) -> None:
        """Close the connection for good."""
        async with self._lock:
            await self._drop()

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            async with asyncio.timeout(_TIMEOUT_S):
                self._connection = await psycopg.AsyncConnection.connect(
                    **self._arguments, autocommit=True
                )
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*AWAY):
                await connection.close()
