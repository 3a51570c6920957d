"""Counts of targets per phase, recomputed only for phases in which something changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import connection

from rollouts.engine.facts import Counts
from rollouts.models import Phase

_COUNT = """
    SELECT t.phase_id,
        count(*) AS members,
        count(*) FILTER (WHERE t.state = 'waiting') AS waiting,
        count(*) FILTER (WHERE t.offered_at IS NOT NULL AND t.state <> 'skipped') AS offered,
        count(*) FILTER (WHERE t.state = 'offered' AND t.deadline_at IS NOT NULL) AS outstanding,
        count(*) FILTER (WHERE t.state = 'applied') AS applied,
        count(*) FILTER (WHERE t.state = 'failed') AS failed,
        count(*) FILTER (WHERE t.state = 'timed_out') AS timed_out,
        count(*) FILTER (WHERE t.state = 'applied' AND t.healthy IS FALSE
            AND NOT t.was_unhealthy
            AND t.confirmed_at <= %(now)s - make_interval(secs => p.grace_s)) AS unhealthy,
        count(*) FILTER (WHERE t.state = 'applied' AND t.healthy IS FALSE
            AND NOT t.was_unhealthy) AS sick,
        count(*) FILTER (WHERE (t.state = 'waiting' AND NOT t.online)
            OR (t.state = 'offered' AND t.deadline_at IS NULL)) AS offline,
        count(*) FILTER (WHERE t.away AND t.state = 'waiting') AS away,
        count(*) FILTER (WHERE t.state IN ('applied', 'failed')) AS confirmed,
        count(*) FILTER (WHERE t.state = 'skipped') AS skipped,
        count(*) FILTER (WHERE t.state = 'rolled_back') AS rolled_back
    FROM rollouts_target t
    JOIN unnest(%(phases)s::bigint[], %(graces)s::float8[]) AS p(id, grace_s) ON p.id = t.phase_id
    GROUP BY t.phase_id
"""


def recount(phases: Iterable[Phase], now: datetime) -> None:
    """Count the targets of these phases again and keep what changed. One query for all."""
    wanted = {phase.pk: phase for phase in phases}
    if not wanted:
        return
    values: dict[str, Any] = {
        "now": now,
        "phases": list(wanted),
        "graces": [_grace(phase) for phase in wanted.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        names = [column.name for column in cursor.description]
        found = {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in cursor.fetchall()}
    for pk, phase in wanted.items():
        counts = found.get(pk) or asdict(Counts())
        if counts != phase.counts:
            phase.counts = counts
            phase.save(update_fields=["counts"])


def recount_sick(phases: Sequence[Phase], now: datetime) -> None:
    """Let bad health begin to count where `health_grace` has passed since the outcome.

    Time alone changes this, so it is asked on every look, by a small partial index, but only of
    phases that have somebody in the grace time.
    """
    for phase in phases:
        counts = Counts.from_dict(phase.counts)
        if counts.sick == counts.unhealthy:
            continue
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT count(*) FROM rollouts_target
                WHERE phase_id = %s AND state = 'applied' AND healthy = false
                  AND was_unhealthy = false AND confirmed_at <= %s - make_interval(secs => %s)
                """,
                [phase.pk, now, _grace(phase)],
            )
            unhealthy = cursor.fetchone()[0]
        if unhealthy != counts.unhealthy:
            phase.counts = {**phase.counts, "unhealthy": unhealthy}
            phase.save(update_fields=["counts"])


def _grace(phase: Phase) -> float:
    return float(phase.spec["pace"]["health_grace_s"])
