"""Keeps what a rollout says of itself, so that it can be shown as it was (`rollouts.as_of`).

Called at the end of each look and of what ends a rollout, in its transaction, with its row locked. One statement,
which writes nothing while nothing changed, and at most one row a second: the newest word of it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from rollouts.models import Rollout

_KEEP = """
    INSERT INTO rollouts_rolloutmoment (rollout_id, second, at, why, counts)
    SELECT r.id, %(second)s, %(now)s, r.why, p.counts
    FROM rollouts_rollout r
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_object_agg(x.index::text, x.counts), '{}') AS counts
        FROM rollouts_phase x WHERE x.rollout_id = r.id
    ) p
    WHERE r.id = %(rollout)s AND NOT EXISTS (
        SELECT FROM (
            SELECT m.why, m.counts FROM rollouts_rolloutmoment m
            WHERE m.rollout_id = %(rollout)s ORDER BY m.second DESC LIMIT 1
        ) last
        WHERE last.why = r.why AND last.counts = p.counts
    )
    ON CONFLICT (rollout_id, second) DO UPDATE
    SET at = excluded.at, why = excluded.why, counts = excluded.counts
"""


def keep(rollout: Rollout, now: datetime) -> None:
    """Write down the rollout's why line and counts, if they are others than before."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, {"rollout": rollout.pk, "now": now, "second": int(now.timestamp())})
