"""Counts of targets per phase, recomputed only for phases in which something changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import connection

from rollouts.engine.facts import Counts
from rollouts.engine.states import TargetState
from rollouts.models import Phase

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


def recount(phases: Iterable[Phase], now: datetime) -> None:
    """Count the targets of these phases again and keep what changed. One query for all."""
    wanted = {phase.pk: phase for phase in phases}
    if not wanted:
        return
    values: dict[str, Any] = {
        **_STATES,
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
    """Let bad health begin and cease to count where time alone decides it.

    Asked on every look, by a small partial index, but only of phases that have somebody in the grace
    time, or somebody who is mending.
    """
    for phase in phases:
        counts = Counts.from_dict(phase.counts)
        if not counts.unsure and not counts.mending:
            continue
        with connection.cursor() as cursor:
            values: dict[str, Any] = {
                **_STATES,
                "phase": phase.pk,
                "now": now,
                "grace": _grace(phase),
            }
            cursor.execute(_SICK, values)
            unhealthy, mending = cursor.fetchone()
        if (unhealthy, mending) != (counts.unhealthy, counts.mending):
            phase.counts = {**phase.counts, "unhealthy": unhealthy, "mending": mending}
            phase.save(update_fields=["counts"])


_SICK = f"""
    SELECT count(*) FILTER (WHERE {_IS_UNHEALTHY}), count(*) FILTER (WHERE {_IS_MENDING})
    FROM rollouts_target t, (SELECT %(grace)s::float8 AS grace_s) p
    WHERE t.phase_id = %(phase)s AND t.state = %(applied)s AND NOT t.was_unhealthy
      AND (t.healthy = false OR t.well_since IS NOT NULL)
"""  # noqa: S608  constant text


def _grace(phase: Phase) -> float:
    return float(phase.spec["pace"]["health_grace_s"])
