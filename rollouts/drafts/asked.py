"""What a rollout is asked to be, looked up and checked: config, version, plan, selector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agents.selectors.grammar import parse, to_text
from console.lib.durations import BadValue, parse_duration, parse_share
from console.lib.problems import FieldError, Invalid, Missing
from rollouts.models import Config, ConfigVersion
from rollouts.models import Plan as SavedPlan
from rollouts.plans.parse import plan_from_data
from rollouts.plans.plan import OnNoData, Pace, Plan, RollbackMethod


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows and values behind what was asked. `selector` is canonical text."""

    version: ConfigVersion
    plan: Plan
    selector: str


def wanted(
    config: str | Config,
    version: int | ConfigVersion | None,
    plan: str | Mapping[str, Any] | Plan,
    selector: str,
    overrides: Mapping[str, Any] | None = None,
) -> Wanted:
    """Look everything up. Raises Missing, or Invalid with the field that is wrong."""
    found = version if isinstance(version, ConfigVersion) else _version(config, version)
    return Wanted(found, with_overrides(_plan(plan), overrides or {}), to_text(parse(selector)))


def _version(config: str | Config, number: int | None) -> ConfigVersion:
    row = config if isinstance(config, Config) else Config.objects.filter(name=config).first()
    if row is None:
        raise _missing("config", f'There is no config "{config}".')
    versions = ConfigVersion.objects.select_related("config").filter(config=row)
    if number is not None:
        versions = versions.filter(number=number)
    found = versions.order_by("-number").first()
    if found is None:
        which = f"version {number}" if number is not None else "version at all"
        raise _missing("version", f"{row.name} has no {which}.")
    return found


def _plan(plan: str | Mapping[str, Any] | Plan) -> Plan:
    if isinstance(plan, Plan):
        return plan
    if not isinstance(plan, str):
        return plan_from_data(dict(plan), name=str(plan.get("name") or "inline"))
    row = SavedPlan.objects.filter(name=plan).first()
    if row is None:
        raise _missing("plan", f'There is no plan "{plan}".')
    return Plan.from_dict(row.parsed)


def _missing(path: str, message: str) -> Missing:
    return Missing(message, errors=[FieldError(path, message)])


def with_overrides(plan: Plan, overrides: Mapping[str, Any]) -> Plan:
    """Return the plan with what this one rollout does otherwise: keys and units of a plan file.

    Raises Invalid for an unknown key or a value that the key cannot have.
    """
    for key, value in overrides.items():
        path = f"overrides.{key}"
        if key not in _OVERRIDES:
            known = ", ".join(sorted(_OVERRIDES))
            message = f"{key} cannot be changed for one rollout; known are {known}"
            raise Invalid(message, errors=[FieldError(path, message)])
        try:
            plan = _OVERRIDES[key](plan, value)
        except (BadValue, ValueError, TypeError, AttributeError) as bad:
            message = f"{path}: {bad}"
            raise Invalid(message, errors=[FieldError(path, str(bad))]) from bad
    return plan


def _paced(plan: Plan, **changes: Any) -> Plan:
    def change(pace: Pace) -> Pace:
        return replace(pace, **changes)

    phases = tuple(replace(phase, pace=change(phase.pace)) for phase in plan.phases)
    return replace(plan, pace=change(plan.pace), phases=phases)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadValue(f"{value!r} is not a whole number from 1")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadValue(f"{value!r} is neither true nor false")
    return value


def _seconds(value: object) -> float:
    return parse_duration(value).total_seconds()


def _rollback(plan: Plan, value: Mapping[str, Any]) -> Plan:
    rollback = plan.rollback
    for key, given in value.items():
        if key == "enabled":
            rollback = replace(rollback, enabled=_flag(given))
        elif key == "method":
            method = RollbackMethod(given)
            rollback = replace(rollback, strategy=replace(rollback.strategy, method=method))
        else:
            raise BadValue(f"{key} is not known; known are enabled, method")
    return replace(plan, rollback=rollback)


_OVERRIDES = {
    "max_in_flight": lambda plan, value: _paced(plan, max_in_flight=_whole(value)),
    "on_no_data": lambda plan, value: _paced(plan, on_no_data=OnNoData(value)),
    "apply_timeout": lambda plan, value: _paced(plan, apply_timeout_s=_seconds(value)),
    "health_grace": lambda plan, value: _paced(plan, health_grace_s=_seconds(value)),
    "quorum": lambda plan, value: _paced(plan, quorum=parse_share(value)),
    "min_samples": lambda plan, value: _paced(plan, min_samples=_whole(value)),
    "bake": lambda plan, value: replace(plan, bake_s=_seconds(value)),
    "promote_rest": lambda plan, value: replace(plan, promote_rest=_flag(value)),
    "offline": lambda plan, value: replace(
        plan, offline_exclude_after_s=None if value is None else _seconds(value)
    ),
    "rollback": _rollback,
}
