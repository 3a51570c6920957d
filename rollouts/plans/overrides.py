"""What one rollout does otherwise than its plan: some keys of a plan file, in its units. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console.lib.fields import Fields, in_data, raise_if_any
from console.lib.problems import FieldError
from rollouts.plans.parse import pace_of
from rollouts.plans.plan import Plan, RollbackMethod, RollbackRules

KEYS = (
    "max_in_flight",
    "on_no_data",
    "apply_timeout",
    "health_grace",
    "quorum",
    "tolerated_failures",
    "lost_after",
    "min_samples",
    "bake",
    "promote_rest",
    "offline",
    "rollback",
)


def with_overrides(plan: Plan, given: Mapping[str, Any]) -> Plan:
    """Return the plan with these keys replaced, in each phase as well.

    `offline` is a duration, or None for never. Raises Invalid with every key that is unknown or
    has a value it cannot have.
    """
    errors: list[FieldError] = []
    fields = Fields(dict(given), in_data, errors, ("overrides",))
    fields.known(*KEYS)
    changed = replace(
        plan,
        pace=pace_of(fields, plan.pace),
        bake_s=fields.seconds("bake", plan.bake_s),
        promote_rest=fields.flag("promote_rest", plan.promote_rest),
        offline_exclude_after_s=_offline(fields, plan),
        rollback=_rollback(fields.child("rollback"), plan.rollback),
    )
    raise_if_any(errors)
    phases = (replace(phase, pace=pace_of(fields, phase.pace)) for phase in plan.phases)
    return replace(changed, phases=tuple(phases))


def _offline(fields: Fields, plan: Plan) -> float | None:
    if not fields.has("offline"):
        return plan.offline_exclude_after_s
    return None if fields.data["offline"] is None else fields.seconds("offline", 0.0)


def _rollback(fields: Fields, base: RollbackRules) -> RollbackRules:
    fields.known("enabled", "method")
    method = fields.choice("method", RollbackMethod, base.strategy.method)
    return replace(
        base,
        enabled=fields.flag("enabled", base.enabled),
        strategy=replace(base.strategy, method=method),
    )
