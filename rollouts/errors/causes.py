"""Read what sets the agents that failed apart: their labels and builds beside those that run it.

Two statements, bounded on both sides: a thousand agents each say as much as ten thousand.
"""

from __future__ import annotations

from collections import defaultdict

from agents.models import ComponentSet
from rollouts.errors.apart import Apart, Count, Fact, FactKind, apart
from rollouts.errors.said import MAX_ROWS
from rollouts.models import Rollout
from rollouts.sql.failures import both_sides

MAX_SIDE = 1_000
MAX_FACTS = 2_000


def of_rollout(rollout: Rollout) -> Apart:
    """Compare the agents that failed in a rollout with those that run, or ran, its version."""
    rows = both_sides(rollout.pk, side=MAX_SIDE, facts=MAX_FACTS, texts=MAX_ROWS)
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
