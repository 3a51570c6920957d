"""Changes of TLS in the audit log: taken, or not usable and why (security.md R7, section 9).

A gateway has no ORM; the row is the one that `accounts.audit.record` would write.
"""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from agents.gateway.database import AWAY, Database

logger = logging.getLogger(__name__)

RELOADED, RELOAD_FAILED = "tls.reloaded", "tls.reload_failed"


@dataclass(frozen=True, slots=True)
class Told:
    """One change: `file` is that of the server's certificate, `why` is "" when it was taken."""

    act: str
    file: str
    why: str = ""
    authorities: int = 0


async def write(database: Database, port: int, changes: list[Told]) -> None:
    """Write the changes down. What the database cannot take now is in the log only."""
    host = socket.gethostname()
    for change in changes:
        details = Jsonb({"file": change.file, "why": change.why, "authorities": change.authorities})
        name = f"{host}:{port}"
        try:
            async with database.transaction() as cursor:
                await cursor.execute(
                    _INSERT, (change.act, f"gateway {host}", name[:64], name, details)
                )
        except AWAY as error:
            logger.warning("A change of TLS is not in the audit log", extra={"error": str(error)})


_INSERT = """
    INSERT INTO accounts_auditevent (at, actor_kind, act, actor_name, object_kind, object_id,
        object_name, reason, details, request_id)
    VALUES (now(), 'system', %b, %b, 'gateway', %b, %b, '', %b, '')
"""
