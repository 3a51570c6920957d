"""One simulated rollout from start to end, decided by the product's own pure code."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bench.evidence import no_store  # isort: skip  # noqa: F401 - before all that needs Django set up
from bench.evidence.corpus import NONE, Case
from bench.evidence.fleet import MINUTE, Collector, SimulatedFleet, series_of
from bench.evidence.phase import (
    SimulatedOwnMetrics,
    SimulatedPhase,
    SimulatedScene,
    Started,
    breaches,
)
from bench.evidence.prometheus import (
    TRIGGER,
    SimulatedPrometheus,
    SimulatedPrometheusSource,
    member,
)
from rollouts.analysis import cohort
from rollouts.analysis.combine import read_gate
from rollouts.analysis.readings import Reading
from rollouts.analysis.sources.opamp import OpampSource
from rollouts.analysis.specs import gates_of
from rollouts.analysis.verdicts import ReadingFrame, judge
from rollouts.engine.decide import Act, decide
from rollouts.engine.facts import (
    ApprovalFacts,
    ApprovalState,
    GateFacts,
    PhaseFacts,
    RolloutFacts,
)
from rollouts.engine.floor import floor_gate
from rollouts.engine.membership import Lineup, PhaseShare, assign
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.plans.builtin import builtin_plan
from rollouts.plans.metrics import Compare, Source
from rollouts.plans.parse import plan_from_data
from rollouts.plans.plan import Plan

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
LONGEST_HOLD_MIN = 45
LONGEST_MIN = 240
ADDED = [
    {"metric": "data_continuity", "operator": ">", "threshold": 0.95},
    {"metric": "memory_growth", "operator": "<", "threshold": "1MB/min"},
    {"metric": "error_rate", "operator": "<", "threshold": "10 errors/min"},
]


def make_plan() -> Plan:
    """Return `standard` with more criteria and without a last wave."""
    plan = builtin_plan("standard")
    added = (
        plan_from_data(
            {"phases": [{"weight": "100%", "duration": "1m", "success_criteria": ADDED}]}
        )
        .phases[0]
        .success_criteria
    )
    phases = tuple(
        replace(phase, success_criteria=(*phase.success_criteria, *added)) for phase in plan.phases
    )
    return replace(plan, phases=phases, promote_rest=False, bake_s=300.0)


PLAN = make_plan()
WITH_TRIGGER = replace(PLAN, rollback=replace(PLAN.rollback, triggers=(TRIGGER,)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a rollout ended: succeeded, rolled_back or held (it waits for a person).

    Minutes from the first faulty agent: to the first gate that was amber or red, and to the decision.
    """

    case: Case
    end: str
    must_not_pass: bool
    wrong_advance: bool
    needless_rollback: bool
    noticed_min: float | None
    detection_min: float | None
    decided_by: str = ""


@dataclass
class SimulatedRollout:
    case: Case
    every_s: float
    plan: Plan = field(init=False)
    fleet: SimulatedFleet = field(init=False)
    phases: list[SimulatedPhase] = field(init=False)
    state: RolloutState = RolloutState.RUNNING
    readings: dict[tuple[int, str], list[Reading]] = field(default_factory=dict)
    read_at: float = -1e9
    baked_s: float = 0.0
    passed_wrongly: bool = False
    first_fault_at: float | None = None
    noticed_at: float | None = None
    held_min: int = 0

    def __post_init__(self) -> None:
        self.plan = WITH_TRIGGER if self.case.strangers else PLAN
        self.fleet = SimulatedFleet(self.case)
        living, everyone = self.fleet.collectors, [*self.fleet.collectors, *self.fleet.ghosts]
        by_id = {one.number: one for one in everyone}
        lineup = Lineup(list(by_id), connected=len(living))
        shares = [PhaseShare(spec.name, spec.weight) for spec in self.plan.phases]
        self.phases = [
            SimulatedPhase(index, spec, [by_id[number] for number in part.new])
            for index, (spec, part) in enumerate(
                zip(self.plan.phases, assign(shares, {"": lineup}), strict=True)
            )
        ]

    # --- Time ------------------------------------------------------------------------------

    def run(self) -> Outcome:
        for _ in range(LONGEST_MIN):
            self._minute()
            ended = self._decide()
            if ended:
                return self._outcome(*ended)
            if self.held_min > LONGEST_HOLD_MIN:
                break
        return self._outcome("held", "")

    def _minute(self) -> None:
        self.fleet.step()
        watched = self._watched()
        for phase in self.phases:
            if phase.state is PhaseState.DEPLOYING:
                self._apply(phase)
            elif phase.state is PhaseState.OBSERVING:
                phase.observed_s += MINUTE
                if phase.observed_s > phase.spec.duration_s:
                    self.held_min += 1
        if self.state is RolloutState.COMPLETING:
            self.baked_s += MINUTE
        if watched is not None and self.fleet.now - self.read_at >= self.every_s:
            self._read(watched)

    def _apply(self, phase: SimulatedPhase) -> None:
        for collector in phase.offered:
            if collector.changed_at is None:
                collector.apply(self.fleet.now, self.case.fault)
                is_faulty = collector.refused or collector.fault is not NONE
                if is_faulty and self.first_fault_at is None:
                    self.first_fault_at = self.fleet.now

    def _watched(self) -> SimulatedPhase | None:
        begun = [phase for phase in self.phases if phase.started_at is not None]
        return begun[-1] if begun else None

    # --- Readings --------------------------------------------------------------------------

    def _read(self, phase: SimulatedPhase) -> None:
        self.read_at = self.fleet.now
        scene = SimulatedScene(
            phase=Started(at(phase.started_at or 0.0), {"duration_s": phase.spec.duration_s}),
            counts=phase.counts(self.fleet.now),
            counts_of_begun=[
                p.counts(self.fleet.now) for p in self.phases if p.started_at is not None
            ],
            now=at(self.fleet.now),
            errors=phase.counts(self.fleet.now).bad,
            running=[member(one, at(one.changed_at or 0.0)) for one in self._on_new()],
            control=[member(one, None) for one in self.fleet.collectors if not one.changed_at],
        )
        sources = {
            Source.OWN_METRICS: SimulatedOwnMetrics(self._cohorts(phase)),
            Source.OPAMP: OpampSource(),
        }
        if self.case.strangers:
            scraped = SimulatedPrometheus(
                self.fleet.collectors, self.case.strangers, self.fleet.now
            )
            sources[Source.PROMETHEUS] = SimulatedPrometheusSource(scraped)
        seen: dict[tuple[str, Compare, str], Reading] = {}
        for spec in gates_of(self.plan, phase.spec):
            key = (spec.metric, spec.compare, spec.kind.value)
            if key not in seen:
                seen[key] = read_gate(spec, scene, sources)  # type: ignore[arg-type]
            reading = replace(seen[key], at=scene.now)
            self.readings.setdefault((phase.index, spec.gate), []).append(reading)

    def _on_new(self) -> list[Collector]:
        return [
            one
            for one in self.fleet.collectors
            if one.changed_at is not None and not (one.refused or one.fell_back or one.is_gone)
        ]

    def _cohorts(self, phase: SimulatedPhase) -> cohort.Cohorts:
        changed = [one for one in phase.offered if one.changed_at is not None]
        others = [one for one in self.fleet.collectors if one not in phase.members]
        split_at = phase.started_at or 0.0
        words = {
            "split_at": split_at,
            "deployed_at": phase.deployed_at or split_at,
            "now": self.fleet.now,
            "warm_up_s": cohort.warm_up_of(phase.spec.duration_s),
        }
        return cohort.Cohorts(
            changed=series_of(changed, changed=True, **words),
            control=series_of(others, changed=False, **words),
            now_s=self.fleet.now,
            duration_s=phase.spec.duration_s,
        )

    def _gates(self, phase: SimulatedPhase) -> tuple[GateFacts, ...]:
        window = ReadingFrame(
            observed_since=None if phase.deployed_at is None else at(phase.deployed_at),
            interval_s=self.every_s,
            min_agents=phase.spec.pace.min_agents,
            min_samples=phase.spec.pace.min_samples,
        )
        judged = (
            judge(spec, self.readings.get((phase.index, spec.gate), []), window, at(self.fleet.now))
            for spec in gates_of(self.plan, phase.spec)
        )
        return (*judged, self._floor(phase))

    def _floor(self, phase: SimulatedPhase) -> GateFacts:
        now = self.fleet.now
        return floor_gate(
            phase.counts(now),
            [one.counts(now) for one in self.phases if one.started_at is not None],
            phase.spec.pace.tolerated_failures,
            at(now),
        )

    # --- Decisions -------------------------------------------------------------------------

    def _decide(self) -> tuple[str, str] | None:
        """Let the engine decide until it waits; return how and by which gate it ended."""
        for _ in range(10):
            facts = self._facts()
            if self.noticed_at is None and any(gate.is_red for gate in facts.gates):
                self.noticed_at = self.fleet.now
            decision = decide(facts, at(self.fleet.now))
            gate = decision.gate.gate if decision.gate else ""
            if decision.act in {Act.ROLL_BACK, Act.PAUSE}:
                return ("rolled_back" if decision.act is Act.ROLL_BACK else "held"), gate
            if decision.act is Act.SUCCEED:
                return "succeeded", ""
            if not self._carry_out(decision.act, decision.phase):
                return None
        return None

    def _carry_out(self, act: Act, index: int | None) -> bool:
        if act is Act.BAKE:
            self.state = RolloutState.COMPLETING
            return True
        if index is None or act is Act.WAIT:
            return False
        phase = self.phases[index]
        if act is Act.ASK:
            phase.state = PhaseState.AWAITING_APPROVAL
        elif act is Act.START_PHASE:
            phase.state, phase.started_at = PhaseState.DEPLOYING, self.fleet.now
            self.held_min = 0
        elif act is Act.DEPLOYED:
            phase.state, phase.deployed_at = PhaseState.OBSERVING, self.fleet.now
        elif act is Act.PASS:
            phase.state = PhaseState.PASSED
            self.passed_wrongly |= self._must_not_pass(phase)
        else:
            raise AssertionError(f"the simulation has no {act}")
        return True

    def _facts(self) -> RolloutFacts:
        watched = self._watched()
        approved = ApprovalFacts(state=ApprovalState.APPROVED)
        return RolloutFacts(
            state=self.state,
            plan=self.plan,
            phases=tuple(
                PhaseFacts(
                    index=phase.index,
                    name=phase.spec.name,
                    state=phase.state,
                    manual=phase.spec.is_manual,
                    spec=phase.spec,
                    counts=phase.counts(self.fleet.now),
                    observed_s=phase.observed_s,
                    approval=approved,
                )
                for phase in self.phases
            ),
            gates=self._gates(watched) if watched is not None else (),
            watched=watched.index if watched is not None else None,
            baked_s=self.baked_s,
        )

    # --- The truth -------------------------------------------------------------------------

    def _must_not_pass(self, phase: SimulatedPhase) -> bool:
        if not phase.members:
            return False
        is_silent = not self.case.sends or self.case.fault.falls_silent
        return is_silent or breaches(self.case.fault, phase.members)

    def _outcome(self, end: str, gate: str) -> Outcome:
        begun = [phase for phase in self.phases if phase.started_at is not None]
        return Outcome(
            case=self.case,
            end=end,
            must_not_pass=any(self._must_not_pass(phase) for phase in begun),
            wrong_advance=self.passed_wrongly,
            needless_rollback=end == "rolled_back" and not self.case.is_bad,
            noticed_min=self._minutes_to(self.noticed_at),
            detection_min=self._minutes_to(self.fleet.now) if end == "rolled_back" else None,
            decided_by=gate,
        )

    def _minutes_to(self, then: float | None) -> float | None:
        if then is None or self.first_fault_at is None:
            return None
        return (then - self.first_fault_at) / MINUTE


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def run(case: Case, every_s: float) -> Outcome:
    """Run one case."""
    return SimulatedRollout(case, every_s).run()
