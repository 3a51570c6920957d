"""Counts of targets: by phase of a rollout, and of a rollback."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from rollouts.engine.states import RollbackTargetState, TargetState

# The states of targets, as parameters of the statements below.
_STATES = {state.value: state.value for state in TargetState}

# Bad health counts from `health_grace` after the outcome, and on until it has been good without a
# break for STEADY times as long: who is well at every other look is not well.
STEADY = 4
_IS_MENDING = f"""t.state = %(applied)s AND NOT t.was_unhealthy AND t.healthy IS NOT FALSE
    AND t.well_since > t.confirmed_at + make_interval(secs => p.grace_s)
    AND t.well_since > %(now)s - make_interval(secs => {STEADY} * p.grace_s)"""
_IS_UNHEALTHY = f"""(t.state = %(applied)s AND NOT t.was_unhealthy AND t.healthy IS FALSE
    AND t.confirmed_at <= %(now)s - make_interval(secs => p.grace_s)) OR ({_IS_MENDING})"""

_COUNT = """
    SELECT t.phase_id,
        count(*) AS members,
        count(*) FILTER (WHERE t.state = %(waiting)s) AS waiting,
        count(*) FILTER (WHERE t.offered_at IS NOT NULL AND t.state <> %(skipped)s) AS offered,
        count(*) FILTER (WHERE t.state = %(offered)s AND t.deadline_at IS NOT NULL) AS outstanding,
        count(*) FILTER (WHERE t.state = %(applied)s) AS applied,
        count(*) FILTER (WHERE t.state = %(applied)s AND t.by_effective) AS by_effective,
        count(*) FILTER (WHERE t.state = %(failed)s) AS failed,
        count(*) FILTER (WHERE t.state = %(timed_out)s) AS timed_out,
        count(*) FILTER (WHERE t.state = %(fell_back)s) AS fell_back,
        count(*) FILTER (WHERE t.state = %(lost)s) AS lost,
        count(*) FILTER (WHERE t.state = %(applied)s AND t.off_since IS NULL) AS on_new,
        count(*) FILTER (WHERE t.state IN (%(applied)s, %(offered)s)
            AND t.off_since IS NOT NULL) AS gone,
        count(*) FILTER (WHERE t.state = %(applied)s AND t.healthy IS FALSE
            AND NOT t.was_unhealthy) AS sick,
        count(*) FILTER (WHERE {is_unhealthy}) AS unhealthy,
        count(*) FILTER (WHERE {is_mending}) AS mending,
        count(*) FILTER (WHERE (t.state = %(waiting)s AND NOT t.online)
            OR (t.state = %(offered)s AND t.deadline_at IS NULL)) AS offline,
        count(*) FILTER (WHERE t.away AND t.state = %(waiting)s) AS away,
        count(*) FILTER (WHERE t.state IN (%(applied)s, %(failed)s, %(fell_back)s)) AS confirmed,
        count(*) FILTER (WHERE t.state = %(skipped)s) AS skipped,
        count(*) FILTER (WHERE t.state = %(rolled_back)s) AS rolled_back,
        count(*) FILTER (WHERE t.taken_from = %(failed)s) AS back_failed,
        count(*) FILTER (WHERE t.taken_from = %(timed_out)s) AS back_timed_out,
        count(*) FILTER (WHERE t.taken_from = %(fell_back)s) AS back_fell_back,
        count(*) FILTER (WHERE t.taken_from = %(lost)s) AS back_lost
    FROM rollouts_target t
    JOIN unnest(%(phases)s::bigint[], %(graces)s::float8[]) AS p(id, grace_s) ON p.id = t.phase_id
    GROUP BY t.phase_id
""".replace("{is_unhealthy}", _IS_UNHEALTHY).replace("{is_mending}", _IS_MENDING)

_SICK = f"""
    SELECT count(*) FILTER (WHERE {_IS_UNHEALTHY}), count(*) FILTER (WHERE {_IS_MENDING})
    FROM rollouts_target t, (SELECT %(grace)s::float8 AS grace_s) p
    WHERE t.phase_id = %(phase)s AND t.state = %(applied)s AND NOT t.was_unhealthy
      AND (t.healthy = false OR t.well_since IS NOT NULL)
"""  # noqa: S608  constant text

_OF_ROLLBACK = """
    SELECT count(*) AS targets,
        count(*) FILTER (WHERE state = %(waiting)s) AS waiting,
        count(*) FILTER (WHERE state = %(offered)s AND deadline_at IS NOT NULL) AS outstanding,
        count(*) FILTER (WHERE state = %(offered)s AND deadline_at IS NULL) AS offline,
        count(*) FILTER (WHERE state = %(confirmed)s) AS confirmed,
        count(*) FILTER (WHERE state = %(failed)s) AS failed,
        count(*) FILTER (WHERE state = %(timed_out)s) AS timed_out,
        count(*) FILTER (WHERE state = %(no_version)s) AS no_version,
        count(*) FILTER (WHERE state = %(skipped)s) AS skipped
    FROM rollouts_rollbacktarget WHERE rollback_id = %(rollback)s
"""
_BACK_STATES = {state.value: state.value for state in RollbackTargetState}


def count_targets(graces_s: Mapping[int, float], now: datetime) -> dict[int, dict[str, int]]:
    """Return the counts of these phases (`engine.facts.Counts`), each with its seconds of grace for
    health; a phase without targets is left out."""
    values: dict[str, Any] = {
        **_STATES,
        "now": now,
        "phases": list(graces_s),
        "graces": list(graces_s.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        _, *names = (column.name for column in cursor.description)
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in cursor.fetchall()}


def count_sick(phase: int, grace_s: float, now: datetime) -> tuple[int, int]:
    """Return how many agents of a phase count as unhealthy, and how many of them are mending."""
    values: dict[str, Any] = {**_STATES, "phase": phase, "now": now, "grace": grace_s}
    with connection.cursor() as cursor:
        cursor.execute(_SICK, values)
        unhealthy, mending = cursor.fetchone()
        return unhealthy, mending


def count_back(rollback: int) -> dict[str, int]:
    """Return the targets of a rollback by state; `outstanding` are offered ones that can still
    answer, `offline` those that cannot."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_ROLLBACK, {"rollback": rollback, **_BACK_STATES})
        names = [column.name for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))
