"""A phase of a simulated rollout: its agents, what sources see of it, and what it truly deserves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.evidence.corpus import Fault
from bench.evidence.fleet import Collector
from rollouts.analysis import cohort
from rollouts.analysis.readings import Reading
from rollouts.analysis.scene import Member
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
    def living(self) -> list[Collector]:
        return [one for one in self.members if not one.is_ghost]

    @property
    def offered(self) -> list[Collector]:
        return self.living if self.started_at is not None else []

    def counts(self, now: float) -> Counts:
        """Count the members as the product counts targets. `now` in seconds."""
        settled = [one for one in self.offered if one.changed_at is not None]
        lost = [one for one in settled if one.is_gone and self._is_lost(one, now)]
        gone = [one for one in settled if one.is_gone and not self._is_lost(one, now)]
        refused, fell_back = _count(settled, "refused"), _count(settled, "fell_back")
        applied = len(settled) - refused - fell_back - len(lost)
        ghosts = len(self.members) - len(self.living)
        unhealthy = sum(one.unhealthy for one in settled if not one.is_gone)
        return Counts(
            members=len(self.members),
            waiting=len(self.living) - len(self.offered) + ghosts,
            offered=len(self.offered),
            outstanding=len(self.offered) - len(settled),
            applied=applied,
            failed=refused,
            fell_back=fell_back,
            lost=len(lost),
            gone=len(gone),
            on_new=applied - len(gone),
            unhealthy=unhealthy,
            sick=unhealthy,
            offline=ghosts,
            away=ghosts,
            confirmed=len(settled) - len(lost),
        )

    def _is_lost(self, one: Collector, now: float) -> bool:
        return now - one.leaves_at >= self.spec.pace.lost_after_s


def _count(collectors: Sequence[Collector], what: str) -> int:
    return sum(getattr(one, what) for one in collectors)


@dataclass(frozen=True)
class SimulatedScene:
    """What sources look at, in the shape of `rollouts.analysis.scene.Scene`."""

    phase: Any
    counts: Counts
    counts_of_begun: list[Counts]
    now: datetime
    errors: int
    running: list[Member]
    control: list[Member]
    # Simulated collectors report no health trees.
    component_health: tuple[int, int] | None = None
    sick_components: tuple[tuple[str, int], ...] = ()
    # Shown to people beside the failures, never judged.
    beside: tuple[int, int] = (0, 0)

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
    spec: dict[str, float]


def breaches(fault: Fault, members: Sequence[Collector]) -> bool:
    """Whether these agents, were there no noise, breach a criterion of the plan."""
    concerned = [one for one in members if fault.concerns(one.region)]
    share_lost = max(fault.refuses, fault.crashes, fault.falls_back, fault.vanishes)
    sick = sum(one.draw.sickness < share_lost for one in concerned)
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
