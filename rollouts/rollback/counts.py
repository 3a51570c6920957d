"""Counts of a rollback: its targets by state."""

from __future__ import annotations

from django.db import connection

from rollouts.engine.states import RollbackTargetState
from rollouts.models import Rollback


def recount(rollback: Rollback) -> dict[str, int]:
    """Count the rows by state; `outstanding` are offered ones that can still answer."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), count(*) FILTER (WHERE state = %(waiting)s),
                count(*) FILTER (WHERE state = %(offered)s AND deadline_at IS NOT NULL),
                count(*) FILTER (WHERE state = %(offered)s AND deadline_at IS NULL),
                count(*) FILTER (WHERE state = %(confirmed)s),
                count(*) FILTER (WHERE state = %(failed)s),
                count(*) FILTER (WHERE state = %(timed_out)s),
                count(*) FILTER (WHERE state = %(no_version)s),
                count(*) FILTER (WHERE state = %(skipped)s)
            FROM rollouts_rollbacktarget WHERE rollback_id = %(rollback)s
            """,
            {
                "rollback": rollback.pk,
                **{state.value: state.value for state in RollbackTargetState},
            },
        )
        names = (
            "targets", "waiting", "outstanding", "offline", "confirmed", "failed", "timed_out",
            "no_version", "skipped",
        )  # fmt: skip
        return dict(zip(names, cursor.fetchone(), strict=True))
