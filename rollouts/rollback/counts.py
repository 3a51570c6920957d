"""Counts of a rollback: its targets by state."""

from __future__ import annotations

from django.db import connection

from rollouts.models import Rollback


def recount(rollback: Rollback) -> dict[str, int]:
    """Count the rows by state; `outstanding` are offered ones that can still answer."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), count(*) FILTER (WHERE state = 'waiting'),
                count(*) FILTER (WHERE state = 'offered' AND deadline_at IS NOT NULL),
                count(*) FILTER (WHERE state = 'offered' AND deadline_at IS NULL),
                count(*) FILTER (WHERE state = 'confirmed'),
                count(*) FILTER (WHERE state = 'failed'),
                count(*) FILTER (WHERE state = 'timed_out'),
                count(*) FILTER (WHERE state = 'no_version'),
                count(*) FILTER (WHERE state = 'skipped')
            FROM rollouts_rollbacktarget WHERE rollback_id = %s
            """,
            [rollback.pk],
        )
        names = (
            "targets", "waiting", "outstanding", "offline", "confirmed", "failed", "timed_out",
            "no_version", "skipped",
        )  # fmt: skip
        return dict(zip(names, cursor.fetchone(), strict=True))
