"""Forgets agents' own metrics that no gate looks at any more. Bounded per run; twice is harmless."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from console.lib.batches import in_batches

BATCH = 20_000
_DELETE = (
    "DELETE FROM agents_series WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM agents_series WHERE at < %s LIMIT %s))"
)


def prune_series(now: datetime) -> int:
    """Delete rows older than OWN_METRICS_KEEP_H, at most 200,000 a run. Returns how many."""
    return delete_older(_DELETE, now - timedelta(hours=settings.OWN_METRICS_KEEP_H), BATCH)


def delete_older(statement: str, before: datetime, size: int) -> int:
    """Run a DELETE whose parameters are a time and a limit, batch by batch. Returns how many rows."""

    def delete(limit: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement, [before, limit])
            deleted: int = cursor.rowcount
        return deleted

    return in_batches(delete, size)
