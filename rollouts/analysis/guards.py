"""Guards of environments (spec section 4; issue of evidence): they apply to every rollout that
touches the environment, and no plan can remove them.

Kept as `{"thresholds": [...], "triggers": [...]}`, each item as a plan keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rollouts.analysis.specs import Guard
from rollouts.models import EnvironmentGuard
from rollouts.plans.plan import Threshold, Trigger


def of_environments(environments: Sequence[str]) -> tuple[Guard, ...]:
    """Return the guards of these environments, those for everywhere first. One query."""
    rows = EnvironmentGuard.objects.filter(environment__in=["", *environments])
    ordered = rows.order_by("environment", "name")
    return tuple(guard_of(row.name, row.spec) for row in ordered)


def guard_of(name: str, spec: Mapping[str, Any]) -> Guard:
    """Read what an EnvironmentGuard row keeps."""
    return Guard(
        name=name,
        thresholds=tuple(Threshold.from_dict(item) for item in spec.get("thresholds", ())),
        triggers=tuple(Trigger.from_dict(item) for item in spec.get("triggers", ())),
    )
