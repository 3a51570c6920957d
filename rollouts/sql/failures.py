"""Who failed and what they said; what is quarantined because of it; who failed beside who did not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

from rollouts.engine.states import FAILED_TARGETS, TargetState

# Who failed in a rollout, and how: by its state, also the one it came back from; and who ran the version
# and was not well on it. Of those that are back their history knows what they said.
_FAILING = """
    SELECT t.rollout_id, t.agent_id, CASE WHEN t.state = %(rolled_back)s THEN t.taken_from ELSE t.state END AS kind,
           t.error AS text
    FROM rollouts_target t
    WHERE t.rollout_id = ANY(%(rollouts)s) AND (t.state = ANY(%(failed)s)
        OR (t.state = %(rolled_back)s AND t.taken_from = ANY(%(failed)s)))
    UNION ALL
    SELECT t.rollout_id, t.agent_id, 'unhealthy', coalesce(nullif(s.health_error, ''), s.sick_component)
    FROM rollouts_target t JOIN agents_agentstatus s ON s.agent_id = t.agent_id
    WHERE t.rollout_id = ANY(%(rollouts)s) AND t.state = %(applied)s AND t.healthy IS FALSE
        AND NOT t.was_unhealthy
    UNION ALL
    SELECT t.rollout_id, t.agent_id, 'unhealthy', e.text
    FROM (
        SELECT t.rollout_id, t.agent_id, t.confirmed_at FROM rollouts_target t
        WHERE t.rollout_id = ANY(%(rollouts)s) AND t.state = %(rolled_back)s
            AND t.taken_from = %(applied)s AND NOT t.was_unhealthy
        ORDER BY t.confirmed_at LIMIT %(most)s
    ) t CROSS JOIN LATERAL (
        SELECT coalesce(e.details->>'error', e.details->>'says', '') AS text
        FROM agents_agentevent e
        WHERE e.agent_id = t.agent_id AND e.at >= t.confirmed_at
            AND e.at <= (SELECT b.decided_at FROM rollouts_rollback b
                         WHERE b.rollout_id = t.rollout_id)
            AND ((e.kind = 'health' AND e.details->>'healthy' = 'false')
                OR (e.kind = 'component_health' AND e.details->>'sick' = 'true'))
        ORDER BY e.id DESC LIMIT 1
    ) e
"""

_COUNTED = """
    WITH failing AS MATERIALIZED ({failing})
    SELECT f.kind, left(f.text, %(chars)s), a.version, coalesce(a.labels->>%(region)s, ''), count(*),
           (array_agg(a.instance_uid::text ORDER BY a.id))[1:3],
           (array_agg(a.name ORDER BY a.id))[1:3],
           (sum(count(*)) OVER (PARTITION BY f.rollout_id))::bigint, f.rollout_id
    FROM failing f JOIN agents_agent a ON a.id = f.agent_id
    GROUP BY f.rollout_id, 1, 2, 3, 4
    ORDER BY 5 DESC, 1, 2, 3, 4
    LIMIT %(most)s
"""


_KEPT = """
    SELECT q.outcome, left(q.reason, %(chars)s), a.version, coalesce(a.labels->>%(region)s, ''),
           count(*), (array_agg(a.instance_uid::text ORDER BY a.id))[1:3],
           (array_agg(a.name ORDER BY a.id))[1:3], q.config_hash
    FROM agents_quarantine q JOIN agents_agent a ON a.id = q.agent_id
    WHERE q.config_hash = ANY(%(hashes)s) AND q.lifted_at IS NULL AND q.outcome = ANY(%(kinds)s)
    GROUP BY q.config_hash, 1, 2, 3, 4
    ORDER BY 5 DESC, 8, 1, 2, 3, 4
    LIMIT %(most)s
"""


_SIDES = """
    WITH failing AS MATERIALIZED (
        SELECT DISTINCT agent_id FROM ({failing}) f ORDER BY agent_id LIMIT %(side)s
    ), passing AS MATERIALIZED (
        SELECT t.agent_id FROM rollouts_target t
        WHERE t.rollout_id = ANY(%(rollouts)s)
            AND %(applied)s IN (t.state, t.taken_from)
            AND NOT EXISTS (SELECT 1 FROM failing f WHERE f.agent_id = t.agent_id)
        ORDER BY t.agent_id LIMIT %(side)s
    ), sides AS MATERIALIZED (
        SELECT a.id, a.labels, a.components_hash, s.failed
        FROM (SELECT agent_id, true AS failed FROM failing
              UNION ALL SELECT agent_id, false FROM passing) s
        JOIN agents_agent a ON a.id = s.agent_id
    )
    (SELECT 'sides', '', '', count(*) FILTER (WHERE failed), count(*) FILTER (WHERE NOT failed), 0
     FROM sides)
    UNION ALL
    (SELECT 'build', components_hash, '', count(*) FILTER (WHERE failed),
            count(*) FILTER (WHERE NOT failed), sum(hashint8(id)::bigint)::bigint
     FROM sides WHERE components_hash <> '' GROUP BY components_hash)
    UNION ALL
    (SELECT 'label', l.key, left(l.value, 200), count(*) FILTER (WHERE failed),
            count(*) FILTER (WHERE NOT failed), sum(hashint8(id)::bigint)::bigint
     FROM sides, jsonb_each_text(labels) l
     GROUP BY l.key, left(l.value, 200)
     HAVING count(*) FILTER (WHERE failed) > 0
     ORDER BY 4 DESC, 5, 2, 3 LIMIT %(facts)s)
"""


Row = tuple[Any, ...]


def said_in(rollouts: Iterable[int], *, region: str, chars: int, most: int) -> list[Row]:
    """Return what agents that failed in these rollouts said, the most frequent first: kind, text,
    version, value of the label `region`, how many, three uids, three names, how many in the rollout
    in all, rollout."""
    given = {**_failing(rollouts, most), "chars": chars, "region": region}
    return _rows(_COUNTED.format(failing=_FAILING), given)


def said_of(
    hashes: Iterable[str], outcomes: Iterable[str], *, region: str, chars: int, most: int
) -> list[Row]:
    """Return why agents are kept from these hashes: outcome, reason, version, value of the label
    `region`, how many, three uids, three names, hash."""
    given = {"hashes": list(hashes), "kinds": list(outcomes), "chars": chars}
    return _rows(_KEPT, {**given, "region": region, "most": most})


def both_sides(rollout: int, *, side: int, facts: int, texts: int) -> list[Row]:
    """Return how `side` agents that failed, and `side` that did not, are labelled and built: what the
    row counts (sides, build, label), its key and value, how many failed, how many did not, a mark that
    is the same for the same agents."""
    given = {**_failing([rollout], texts), "side": side, "facts": facts}
    return _rows(_SIDES.format(failing=_FAILING), given)


def _failing(rollouts: Iterable[int], most: int) -> dict[str, Any]:
    """Return the parameters of _FAILING."""
    return {
        "rollouts": list(rollouts),
        "failed": sorted(state.value for state in FAILED_TARGETS),
        "rolled_back": TargetState.ROLLED_BACK.value,
        "applied": TargetState.APPLIED.value,
        "most": most,
    }


def _rows(statement: str, given: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        rows: list[Row] = cursor.fetchall()
        return rows
