"""Forgets agents' own metrics that no gate looks at any more. Bounded per run; twice is harmless."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

BATCH = 20_000
MOST_BATCHES = 10


def prune_series(now: datetime) -> int:
    """Delete rows older than OWN_METRICS_KEEP_H, at most 200,000 a run. Returns how many."""
    before = now - timedelta(hours=settings.OWN_METRICS_KEEP_H)
    deleted = 0
    with connection.cursor() as cursor:
        for _ in range(MOST_BATCHES):
            cursor.execute(
                "DELETE FROM agents_series WHERE ctid = ANY(ARRAY("
                "SELECT ctid FROM agents_series WHERE at < %s LIMIT %s))",
                [before, BATCH],
            )
            deleted += cursor.rowcount
            if cursor.rowcount < BATCH:
                break
    return deleted
