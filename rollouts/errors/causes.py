"""Read what sets the agents that failed apart: their labels and builds beside those that run it.

Two statements, bounded on both sides: a thousand agents each say as much as ten thousand.
"""

from __future__ import annotations

from collections import defaultdict

from django.db import connection

from agents.models import ComponentSet
from rollouts.errors.apart import Apart, Count, Fact, FactKind, apart
from rollouts.errors.said import FAILING, failing_params
from rollouts.models import Rollout

MAX_SIDE = 1_000
MAX_FACTS = 2_000

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


def of_rollout(rollout: Rollout) -> Apart:
    """Compare the agents that failed in a rollout with those that run, or ran, its version."""
    given = {**failing_params([rollout.pk]), "side": MAX_SIDE, "facts": MAX_FACTS}
    with connection.cursor() as cursor:
        cursor.execute(_SIDES.format(failing=FAILING), given)
        rows = cursor.fetchall()
    sizes = next((row[3], row[4]) for row in rows if row[0] == "sides")
    labels = [
        Count(Fact(FactKind.LABEL, key, value), failed, passed, mark)
        for what, key, value, failed, passed, mark in rows
        if what == "label"
    ]
    builds = {row[1]: (row[3], row[4], row[5]) for row in rows if row[0] == "build"}
    return apart([*labels, *_components(builds, *sizes)], *sizes)


def _components(builds: dict[str, tuple[int, int, int]], failed: int, passed: int) -> list[Count]:
    """Return for each component who has it and who lacks it. Only where every build is known:
    an agent that reports none may have anything."""
    known = (sum(b[0] for b in builds.values()), sum(b[1] for b in builds.values()))
    if len(builds) < 2 or known != (failed, passed):
        return []
    names = dict(ComponentSet.objects.filter(pk__in=builds).values_list("pk", "names"))
    if names.keys() != builds.keys():
        return []
    by_component: dict[str, list[str]] = defaultdict(list)
    for build, components in names.items():
        for component in components:
            by_component[component].append(build)
    counts = []
    for component, having in sorted(by_component.items()):
        lacking = [build for build in builds if build not in having]
        for kind, of in ((FactKind.HAS, having), (FactKind.LACKS, lacking)):
            if of and lacking:
                sums = [sum(builds[build][n] for build in of) for n in range(3)]
                counts.append(Count(Fact(kind, component, ""), *sums))
    return counts
