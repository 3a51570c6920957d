"""A plan as the engine reads it: frozen, JSON in and out, so that a rollout keeps its own copy.

Shares are fractions 0 to 1, durations seconds, thresholds in the metric's base unit. Every value
is effective: `parse.py` has already filled a phase's optional keys from the plan's.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from console.lib.quantities import Unit
from rollouts.plans.metrics import DEFAULT_SOURCES, Compare, Direction, Source


class Operator(StrEnum):
    """How a measured value (left) stands to the threshold (right) when the criterion is met."""

    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    EQ = "=="
    NE = "!="


class OnNoData(StrEnum):
    """What a phase does at the end of its window when a criterion has no data (spec section 4)."""

    HOLD = "hold"
    FAIL = "fail"
    PASS = "pass"  # noqa: S105 - the word of the plan file, no secret


class TriggerAction(StrEnum):
    """What a trigger that held for its time does."""

    ROLLBACK = "rollback"
    PAUSE = "pause"
    NOTIFY = "notify"


class Health(StrEnum):
    """Whose health counts: what an agent says of itself as a whole, or also of each component."""

    AGENT = "agent"
    COMPONENT = "component"


class RollbackMethod(StrEnum):
    """Everything at once, or in batches with a check between (spec section 5)."""

    IMMEDIATE = "immediate"
    GRADUAL = "gradual"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One success criterion of a phase: `metric operator threshold`.

    More than `failure_limit` bad readings of the window fail it (0: any number may be bad), more than
    `inconclusive_limit` unclear ones leave it open (None: any number may be), and it takes
    `consecutive` bad ones at the end to fail. A `dry_run` is shown and decides nothing.
    """

    metric: str
    operator: Operator
    threshold: float
    unit: Unit = Unit.NONE
    query: str = ""
    compare: Compare = Compare.ABSOLUTE
    sources: tuple[Source, ...] = DEFAULT_SOURCES
    failure_limit: int = 0
    inconclusive_limit: int | None = None
    consecutive: int = 1
    dry_run: bool = False

    def is_met(self, value: float) -> bool:
        """Return whether a measured value satisfies the criterion."""
        return bool(_HOLDS[self.operator](value, self.threshold))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Criterion:
        """Read what `to_dict` wrote."""
        return cls(
            metric=data["metric"],
            operator=Operator(data["operator"]),
            threshold=float(data["threshold"]),
            unit=Unit(data["unit"]),
            query=data["query"],
            compare=Compare(data["compare"]),
            sources=tuple(Source(source) for source in data["sources"]),
            failure_limit=data.get("failure_limit", 0),
            inconclusive_limit=data.get("inconclusive_limit"),
            consecutive=data.get("consecutive", 1),
            dry_run=data.get("dry_run", False),
        )


_HOLDS = {
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """Warning and critical level of one metric, watched during the whole rollout."""

    metric: str
    warning: float | None
    critical: float | None
    direction: Direction = Direction.ABOVE
    unit: Unit = Unit.NONE
    query: str = ""
    compare: Compare = Compare.ABSOLUTE
    sources: tuple[Source, ...] = DEFAULT_SOURCES
    consecutive: int = 1
    dry_run: bool = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Threshold:
        """Read what `to_dict` wrote."""
        return cls(
            metric=data["metric"],
            warning=data["warning"],
            critical=data["critical"],
            direction=Direction(data["direction"]),
            unit=Unit(data["unit"]),
            query=data["query"],
            compare=Compare(data["compare"]),
            sources=tuple(Source(source) for source in data["sources"]),
            consecutive=data.get("consecutive", 1),
            dry_run=data.get("dry_run", False),
        )


@dataclass(frozen=True, slots=True)
class Trigger:
    """A PromQL condition that, true for `for_s` seconds, acts. A non-empty result is true."""

    name: str
    condition: str
    for_s: float
    action: TriggerAction = TriggerAction.ROLLBACK
    dry_run: bool = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trigger:
        """Read what `to_dict` wrote."""
        return cls(
            name=data["name"],
            condition=data["condition"],
            for_s=float(data["for_s"]),
            action=TriggerAction(data["action"]),
            dry_run=data.get("dry_run", False),
        )


@dataclass(frozen=True, slots=True)
class Strategy:
    """How a rollback goes (spec section 5)."""

    method: RollbackMethod = RollbackMethod.IMMEDIATE
    preserve_history: bool = True
    max_rollback_depth: int = 5


@dataclass(frozen=True, slots=True)
class RollbackRules:
    """Whether and how the rollout comes back by itself."""

    enabled: bool = True
    triggers: tuple[Trigger, ...] = ()
    strategy: Strategy = Strategy()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RollbackRules:
        """Read what `to_dict` wrote."""
        return cls(
            enabled=data["enabled"],
            triggers=tuple(Trigger.from_dict(trigger) for trigger in data["triggers"]),
            strategy=Strategy(
                method=RollbackMethod(data["strategy"]["method"]),
                preserve_history=data["strategy"]["preserve_history"],
                max_rollback_depth=data["strategy"]["max_rollback_depth"],
            ),
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """What a phase needs and waits for (spec section 4). A plan has one, a phase may change it.

    `tolerated_failures` is the share of a phase's agents that may fail before it comes back whatever
    its criteria say; of a single one, none may.
    """

    min_agents: int = 1
    min_samples: int = 3
    on_no_data: OnNoData = OnNoData.HOLD
    apply_timeout_s: float = 120.0
    health_grace_s: float = 15.0
    quorum: float = 0.9
    max_in_flight: int = 10_000
    spread: str = ""
    tolerated_failures: float = 0.1
    lost_after_s: float = 120.0

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Pace:
        """Read what `to_dict` wrote."""
        return cls(**{**data, "on_no_data": OnNoData(data["on_no_data"])})


@dataclass(frozen=True, slots=True)
class PhaseSpec:
    """One phase. `selector` is canonical selector text; None means the rollout's own target."""

    name: str
    weight: float
    duration_s: float
    description: str = ""
    selector: str | None = None
    auto_advance: bool = True
    success_criteria: tuple[Criterion, ...] = ()
    pace: Pace = Pace()

    @property
    def is_manual(self) -> bool:
        """Return whether the phase waits for a person before it starts."""
        return not self.auto_advance

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PhaseSpec:
        """Read what `to_dict` wrote."""
        return cls(
            name=data["name"],
            weight=float(data["weight"]),
            duration_s=float(data["duration_s"]),
            description=data["description"],
            selector=data["selector"],
            auto_advance=data["auto_advance"],
            success_criteria=tuple(Criterion.from_dict(c) for c in data["success_criteria"]),
            pace=Pace.from_dict(data["pace"]),
        )


@dataclass(frozen=True, slots=True)
class GuardChoice:
    """What a plan wants of one of the guards that every plan has (`rollouts.plans.guards`). A level
    of None is the usual one; one that is not enabled says why."""

    name: str
    warning: float | None = None
    critical: float | None = None
    enabled: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan. `offline_exclude_after_s` None means that offline agents always count."""

    name: str
    phases: tuple[PhaseSpec, ...]
    description: str = ""
    thresholds: tuple[Threshold, ...] = ()
    rollback: RollbackRules = RollbackRules()
    pace: Pace = Pace()
    bake_s: float = 900.0
    promote_rest: bool = True
    offline_exclude_after_s: float | None = 86400.0
    health: Health = Health.AGENT
    guards: tuple[GuardChoice, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data that `from_dict` reads back as an equal plan."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Read what `to_dict` wrote. Raises KeyError or ValueError on anything else."""
        return cls(
            name=data["name"],
            phases=tuple(PhaseSpec.from_dict(phase) for phase in data["phases"]),
            description=data["description"],
            thresholds=tuple(Threshold.from_dict(t) for t in data["thresholds"]),
            rollback=RollbackRules.from_dict(data["rollback"]),
            pace=Pace.from_dict(data["pace"]),
            bake_s=float(data["bake_s"]),
            promote_rest=data["promote_rest"],
            offline_exclude_after_s=data["offline_exclude_after_s"],
            health=Health(data.get("health", Health.AGENT)),
            guards=tuple(GuardChoice(**choice) for choice in data.get("guards", ())),
        )
