"""Read what agents said: of a rollout, of quarantined hashes. One bounded statement each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from rollouts.engine.states import FAILED_TARGETS, TargetState
from rollouts.errors.groups import KINDS, Example, Faults, Said, group

MAX_ROWS = 1_000  # texts by version and region; the rest is counted only
MAX_CHARS = 2_000
REGION = "region"  # the label by which agents are told apart beside their version

# Who failed in a rollout, and how: by its state, also the one it came back from; and who ran the version
# and was not well on it. Of those that are back their history knows what they said.
FAILING = """
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


def failing_params(rollouts: Iterable[int]) -> dict[str, Any]:
    """Return the parameters of FAILING."""
    return {
        "rollouts": list(rollouts),
        "failed": sorted(state.value for state in FAILED_TARGETS),
        "rolled_back": TargetState.ROLLED_BACK.value,
        "applied": TargetState.APPLIED.value,
        "most": MAX_ROWS,
    }


def of_rollouts(rollouts: Iterable[int]) -> dict[int, Faults]:
    """Return what the agents that failed in these rollouts said, also those that are back since; no
    entry where nobody failed. MAX_ROWS are read in all, the most frequent first."""
    given = {**failing_params(rollouts), "chars": MAX_CHARS, "region": REGION}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED.format(failing=FAILING), given)
        rows = cursor.fetchall()
    texts: dict[int, list[Said]] = defaultdict(list)
    totals: dict[int, int] = {}
    for *row, total, rollout in rows:
        texts[rollout].append(_said(row))
        totals[rollout] = total
    return {rollout: group(of, agents=totals[rollout]) for rollout, of in texts.items()}


def _said(row: Sequence[Any]) -> Said:
    kind, text, version, region, agents, uids, names = row
    samples = tuple(Example(uid, name) for uid, name in zip(uids, names, strict=True))
    return Said(kind, text or "", version, region, agents, samples)


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


def of_quarantined(hashes: Sequence[str]) -> dict[str, Faults]:
    """Return what agents said that are kept from each of these hashes; none that nobody is."""
    given: dict[str, Any] = {
        "hashes": list(hashes),
        "kinds": list(KINDS),
        "chars": MAX_CHARS,
        "region": REGION,
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, {**given, "most": MAX_ROWS})
        rows = cursor.fetchall()
    by_hash: dict[str, list[Said]] = defaultdict(list)
    for row in rows:
        by_hash[row[-1]].append(_said(row[:-1]))
    return {config_hash: group(of) for config_hash, of in by_hash.items()}
