"""What a rollout is asked to be, looked up and checked: config, version, plan, selector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.selectors.grammar import parse, to_text
from console.lib.problems import Missing
from console.lib.texts import text
from rollouts.models import Config, ConfigVersion
from rollouts.models import Plan as SavedPlan
from rollouts.plans.overrides import with_overrides
from rollouts.plans.parse import plan_from_data
from rollouts.plans.plan import Plan


@dataclass(frozen=True, slots=True)
class Terms:
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
) -> Terms:
    """Look everything up. Raises Missing, or Invalid with the field that is wrong."""
    found = version if isinstance(version, ConfigVersion) else _version(config, version)
    return Terms(found, with_overrides(_plan(plan), overrides or {}), to_text(parse(selector)))


def _version(config: str | Config, number: int | None) -> ConfigVersion:
    row = config if isinstance(config, Config) else Config.objects.filter(name=config).first()
    if row is None:
        raise Missing.at("config", text("config.missing_named", name=config))
    versions = ConfigVersion.objects.select_related("config").filter(config=row)
    if number is not None:
        versions = versions.filter(number=number)
    found = versions.order_by("-number").first()
    if found is None:
        says = text("config.no_version_at_all", name=row.name)
        if number is not None:
            says = text("config.no_version", name=row.name, number=number)
        raise Missing.at("version", says)
    return found


def _plan(plan: str | Mapping[str, Any] | Plan) -> Plan:
    if isinstance(plan, Plan):
        return plan
    if not isinstance(plan, str):
        return plan_from_data(dict(plan), name=str(plan.get("name") or "inline"))
    row = SavedPlan.objects.filter(name=plan).first()
    if row is None:
        raise Missing.at("plan", text("plan.missing_named", name=plan))
    return Plan.from_dict(row.parsed)
