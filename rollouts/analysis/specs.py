"""The gates of a phase: what the plan and the environment ask for, in one shape. Pure.

A gate's name is stable over the rollout ("criterion:failure_rate", "threshold:cpu_increase",
"trigger:export_failures"); a guard of an environment adds its own name after `@`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass, replace

from console.lib.texts import Text, text
from rollouts.analysis.catalogue import title_of
from rollouts.engine.facts import GateKind, GuardAction, Level
from rollouts.plans.guards import TITLES, default_guards
from rollouts.plans.metrics import DEFAULT_SOURCES, Compare, Direction, Source
from rollouts.plans.plan import Criterion, PhaseSpec, Plan, Threshold, Trigger

_HOLDS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


# Stands where a guard of an environment has its name.
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class GateSpec:
    """One gate. `operator` is the criterion's, or the side of a threshold ("above", "below").

    Limits are in the metric's base unit, `for_s` in seconds. `guard` names the environment guard
    the gate comes from, "" for the plan's own. `is_default`: one that every plan has.
    """

    gate: str
    kind: GateKind
    metric: str
    title: Text | str
    unit: str = ""
    operator: str = ""
    limit: float | None = None
    warning: float | None = None
    for_s: float = 0.0
    action: GuardAction = GuardAction.NONE
    query: str = ""
    compare: Compare = Compare.ABSOLUTE
    sources: tuple[Source, ...] = DEFAULT_SOURCES
    failure_limit: int = 0
    inconclusive_limit: int | None = None
    consecutive: int = 1
    dry_run: bool = False
    guard: str = ""
    is_default: bool = False

    def is_met(self, value: float) -> bool:
        """Return whether a value satisfies a criterion."""
        return self.limit is not None and _HOLDS[self.operator](value, self.limit)

    def level_of(self, value: float) -> Level:
        """Return the level a value reaches on a threshold."""
        if self._reaches(value, self.limit):
            return Level.CRITICAL
        return Level.WARNING if self._reaches(value, self.warning) else Level.NONE

    def _reaches(self, value: float, level: float | None) -> bool:
        if level is None:
            return False
        return value <= level if self.operator == Direction.BELOW else value >= level


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard of an environment: thresholds and triggers that no plan can remove."""

    name: str
    thresholds: tuple[Threshold, ...] = ()
    triggers: tuple[Trigger, ...] = ()


def gates_of(plan: Plan, phase: PhaseSpec, guards: Iterable[Guard] = ()) -> tuple[GateSpec, ...]:
    """Return every gate of a phase: its criteria, the plan's guards, the environment's guards."""
    found = [_criterion(criterion) for criterion in phase.success_criteria]
    found += [_threshold(threshold) for threshold in plan.thresholds]
    found += [_trigger(trigger) for trigger in plan.rollback.triggers]
    found += [
        replace(_threshold(threshold, DEFAULT), title=TITLES[name], is_default=True)
        for name, threshold, choice in default_guards(plan)
        if choice.enabled
    ]
    for guard in guards:
        found += [_threshold(threshold, guard.name) for threshold in guard.thresholds]
        found += [_trigger(trigger, guard.name) for trigger in guard.triggers]
    return tuple(found)


def _criterion(criterion: Criterion) -> GateSpec:
    return GateSpec(
        gate=f"criterion:{criterion.metric}",
        kind=GateKind.CRITERION,
        metric=criterion.metric,
        title=_titled(title_of(criterion.metric), "", criterion.dry_run),
        unit=criterion.unit.value,
        operator=criterion.operator.value,
        limit=criterion.threshold,
        query=criterion.query,
        compare=criterion.compare,
        sources=criterion.sources,
        failure_limit=criterion.failure_limit,
        inconclusive_limit=criterion.inconclusive_limit,
        consecutive=criterion.consecutive,
        dry_run=criterion.dry_run,
    )


def _threshold(threshold: Threshold, guard: str = "") -> GateSpec:
    return GateSpec(
        gate=_name("threshold", threshold.metric, guard),
        kind=GateKind.THRESHOLD,
        metric=threshold.metric,
        title=_titled(title_of(threshold.metric), guard, threshold.dry_run),
        unit=threshold.unit.value,
        operator=threshold.direction.value,
        limit=threshold.critical,
        warning=threshold.warning,
        action=GuardAction.ROLLBACK,
        query=threshold.query,
        compare=threshold.compare,
        sources=threshold.sources,
        consecutive=threshold.consecutive,
        dry_run=threshold.dry_run,
        guard=guard,
    )


def _trigger(trigger: Trigger, guard: str = "") -> GateSpec:
    return GateSpec(
        gate=_name("trigger", trigger.name, guard),
        kind=GateKind.TRIGGER,
        metric=trigger.name,
        title=_titled(title_of(trigger.name), guard, trigger.dry_run),
        for_s=trigger.for_s,
        action=GuardAction(trigger.action.value),
        query=trigger.condition,
        sources=(Source.PROMETHEUS,),
        dry_run=trigger.dry_run,
        guard=guard,
    )


def _name(kind: str, what: str, guard: str) -> str:
    return f"{kind}:{what}@{guard}"[:120] if guard else f"{kind}:{what}"[:120]


def _titled(title: Text | str, guard: str, dry_run: bool) -> Text | str:
    named = title
    if guard == DEFAULT:
        named = text("title.default_guard", title=title)
    elif guard:
        named = text("title.of_guard", title=title, guard=guard)
    return text("title.dry_run", title=named) if dry_run else named
