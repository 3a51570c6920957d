"""A phase of a simulated rollout: its agents, what sources see of it, and what it truly deserves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.corpus import Fault
from bench.evidence_fleet import Collector
from rollouts.analysis import cohort
from rollouts.analysis.readings import Reading
from rollouts.analysis.specs import GateSpec
from rollouts.engine.facts import Counts
from rollouts.engine.states import PhaseState
from rollouts.plans.metrics import Source
from rollouts.plans.plan import PhaseSpec


@dataclass
class SimulatedPhase:
    index: int
    spec: PhaseSpec
    members: list[Collector]
    state: PhaseState = PhaseState.PENDING
    started_at: float | None = None
    deployed_at: float | None = None
    observed_s: float = 0.0

    @property
    def offered(self) -> list[Collector]:
        return self.members if self.started_at is not None else []

    @property
    def counts(self) -> Counts:
        settled = [one for one in self.offered if one.changed_at is not None]
        failed = sum(one.refused for one in settled)
        return Counts(
            members=len(self.members),
            offered=len(self.offered),
            outstanding=len(self.offered) - len(settled),
            applied=len(settled) - failed,
            failed=failed,
            unhealthy=sum(one.unhealthy for one in settled),
            confirmed=len(settled),
        )


@dataclass(frozen=True)
class SimulatedScene:
    """What sources look at, in the shape of `rollouts.analysis.scene.Scene`."""

    phase: Any
    counts: Counts
    counts_of_begun: list[Counts]
    now: datetime
    errors: int
    # Simulated collectors report no health trees.
    component_health: tuple[int, int] | None = None
    sick_components: tuple[tuple[str, int], ...] = ()

    def errors_since(self, since: datetime) -> int:
        return self.errors


class SimulatedOwnMetrics:
    """The own-metrics source with the series of simulated collectors."""

    name = Source.OWN_METRICS

    def __init__(self, cohorts: cohort.Cohorts) -> None:
        self._cohorts = cohorts

    def measures(self, spec: GateSpec) -> bool:
        return spec.metric in cohort.MEASURES

    def measure(self, spec: GateSpec, scene: Any) -> Reading:
        return cohort.read(spec, self._cohorts, self.name)


@dataclass(frozen=True, slots=True)
class Started:
    started_at: datetime


def breaches(fault: Fault, members: Sequence[Collector]) -> bool:
    """Whether these agents, were there no noise, breach a criterion of the plan."""
    concerned = [one for one in members if fault.concerns(one.region)]
    sick = sum(one.draw.sickness < max(fault.refuses, fault.crashes) for one in concerned)
    cpu = sum(one.draw.cpu for one in members)
    more = sum(one.draw.cpu * (fault.cpu - 1) for one in concerned)
    data = sum(one.draw.per_min for one in members)
    lost = sum(one.draw.per_min * fault.drops for one in concerned)
    share = len(concerned) / len(members)
    return (
        sick / len(members) >= 0.01
        or more / cpu >= 0.1
        or lost / data >= 0.05
        or fault.leak_bytes * share >= 1e6
        or (fault.latency_ms >= 100 and share > 0.05)
        or fault.errors * len(concerned) >= 10
    )
