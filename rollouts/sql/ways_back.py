"""What agents return to: written down for the agents of a rollout, read for those of a selector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from agents.models import Delivery
from agents.quarantined import quarantined_sql
from console.lib.texts import Text, to_column
from rollouts.engine.states import TOUCHED_TARGETS, RollbackTargetState

_WAYS_BACK = f"""
    INSERT INTO rollouts_rollbacktarget (rollback_id, agent_id, wave, from_hash, to_hash, state,
                                         online, error)
    SELECT %(rollback)s, w.agent_id,
           CASE WHEN %(batch)s = 0 THEN w.line ELSE (w.place - 1) / %(batch)s + 1 END,
           %(bad)s, coalesce(b.config_hash, f.config_hash, ''),
           CASE WHEN coalesce(b.config_hash, f.config_hash) IS NULL THEN %(no_version)s
                ELSE %(waiting)s END,
           w.connected,
           CASE WHEN coalesce(b.config_hash, f.config_hash) IS NULL THEN %(no_way)s ELSE '' END
    FROM (
        SELECT t.agent_id, coalesce(s.connected, false) AS connected,
               dense_rank() OVER (ORDER BY p.index DESC) AS line,
               row_number() OVER (ORDER BY p.index DESC, t.position) AS place,
               t.previous_hash AS back
        FROM (SELECT id, index FROM rollouts_phase WHERE rollout_id = %(rollout)s OFFSET 0) p
        CROSS JOIN LATERAL (
            SELECT x.agent_id, x.position, x.previous_hash FROM rollouts_target x
            WHERE x.phase_id = p.id AND x.state = ANY(%(touched)s) AND x.previous_hash <> %(bad)s
            OFFSET 0
        ) t
        CROSS JOIN LATERAL (
            SELECT config_hash FROM agents_desired x WHERE x.agent_id = t.agent_id OFFSET 0
        ) d
        LEFT JOIN agents_agentstatus s ON s.agent_id = t.agent_id
        WHERE d.config_hash = %(bad)s
        OFFSET 0
    ) w
    LEFT JOIN agents_configbody b ON b.config_hash = w.back
      AND NOT {quarantined_sql("w.agent_id", "w.back")}
    LEFT JOIN agents_configbody f ON f.config_hash = %(fallback)s AND b.config_hash IS NULL
      AND NOT {quarantined_sql("w.agent_id", "f.config_hash")}
"""  # noqa: S608  constant text


def write_ways_back(
    rollout: int, rollback: int, *, bad: str, fallback: str, batch: int, no_way: Text
) -> int:
    """Write a row for each agent that a rollout touched and that is wanted on `bad`: back to what it
    ran before, else to `fallback`, else nowhere, which says `no_way`. Returns how many.

    `batch` agents are in a wave; 0: a phase is a wave, the most recent first.
    """
    values: dict[str, Any] = {
        "rollout": rollout,
        "rollback": rollback,
        "bad": bad,
        "fallback": fallback,
        "batch": batch,
        "no_way": to_column(no_way),
        "no_version": RollbackTargetState.NO_VERSION.value,
        "waiting": RollbackTargetState.WAITING.value,
        "touched": sorted(TOUCHED_TARGETS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WAYS_BACK, values)
        ways: int = cursor.rowcount
        return ways


_RUNNING = """
    SELECT a.id, s.running_hash, coalesce(d.config_hash, ''),
           array(SELECT ran.config_hash FROM (
                     SELECT x.config_hash, x.offered_at, 1 AS turn, x.id FROM agents_delivery x
                     WHERE x.agent_id = a.id AND x.state = %(applied)s
                     UNION ALL
                     SELECT t.previous_hash, t.offered_at, 0, t.id FROM rollouts_target t
                     WHERE t.agent_id = a.id AND t.offered_at IS NOT NULL AND t.previous_hash <> ''
                 ) ran ORDER BY ran.offered_at DESC, ran.turn DESC, ran.id DESC)
    FROM unnest(%(agents)s::bigint[]) AS a(id)
    JOIN agents_agentstatus s ON s.agent_id = a.id
    LEFT JOIN agents_desired d ON d.agent_id = a.id
"""


@dataclass(frozen=True, slots=True)
class Runs:
    """What one agent runs, should run, and ran before, newest first: what it applied, and what a
    rollout met there (a version that came from elsewhere is a way back when its body is stored)."""

    agent_id: int
    running: str
    desired: str
    history: list[str]


def runs_now(agent_ids: Sequence[int]) -> list[Runs]:
    """Return what these agents run; who never said anything is left out."""
    values: dict[str, Any] = {"applied": Delivery.State.APPLIED.value, "agents": list(agent_ids)}
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, values)
        return [Runs(*row) for row in cursor.fetchall()]
