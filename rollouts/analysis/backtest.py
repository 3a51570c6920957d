"""What another set of thresholds would have done to rollouts that are over. Pure.

A recording is replayed reading by reading through the code that judges and decides while a rollout
runs (`verdicts.judge`, `engine.decide`). Replayed are the phases as they were, with their real windows;
limits, triggers and rules come from the plan in question. Guards of environments and waivers of
people are left out: they are not part of a plan. What was never measured is `unknown`, never good.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from console.lib.texts import Text
from rollouts.analysis.readings import Reading
from rollouts.analysis.specs import GateSpec, gates_of
from rollouts.analysis.verdicts import ReadingFrame, judge
from rollouts.engine.decide import Act, decide
from rollouts.engine.facts import Counts, GateFacts, GateKind, PhaseFacts, RolloutFacts
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.plans.metrics import Compare, Source
from rollouts.plans.plan import PhaseSpec, Plan

_SAME = timedelta(seconds=60)
_ONE = Counts(members=1, offered=1, applied=1, confirmed=1, on_new=1)


class Would(StrEnum):
    """What the plan would have done."""

    ROLL_BACK = "roll_back"
    PAUSE = "pause"
    HOLD = "hold"
    GO_ON = "go_on"
    UNKNOWN = "unknown"


class Compared(StrEnum):
    """How that stands to what happened."""

    SAME = "same"
    EARLIER = "earlier"
    LATER = "later"
    STOPS_MORE = "stops_more"
    LETS_THROUGH = "lets_through"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The readings of one gate, oldest first, with how it was asked."""

    gate: str
    kind: GateKind
    metric: str
    query: str
    compare: Compare
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class PastPhase:
    """One phase that was begun, watched until `ended_at`, when the next one began. `gates` are its
    recordings; those of triggers speak of the rollout and may begin earlier."""

    index: int
    spec: PhaseSpec
    began_at: datetime
    ended_at: datetime | None
    deployed_at: datetime | None
    finished_at: datetime | None
    observed_s: float
    interval_s: float
    gates: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class PastRollout:
    """A rollout that is over. `stopped_at` is when it was rolled back or aborted, by `stopped_by`;
    `is_cut` says that more was measured than is replayed."""

    id: int
    number: str
    state: RolloutState
    phases: tuple[PastPhase, ...]
    stopped_at: datetime | None = None
    stopped_by: str = ""
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """One rollout under the plan in question. `unread` are its gates without a recording."""

    rollout: PastRollout
    would: Would
    compared: Compared
    gate: str = ""
    phase: str = ""
    at: datetime | None = None
    sentence: Text | str = ""
    unread: tuple[str, ...] = ()

    @property
    def sooner_s(self) -> float | None:
        """Seconds between this stop and the real one; more than 0 is sooner."""
        if self.at is None or self.rollout.stopped_at is None:
            return None
        return (self.rollout.stopped_at - self.at).total_seconds()


@dataclass(frozen=True, slots=True)
class _Stop:
    would: Would
    gate: GateFacts | None
    phase: str
    at: datetime


def back_test(plan: Plan, past: PastRollout) -> Result:
    """Replay one rollout. The first stop ends the replay: what comes after it never happens."""
    stop, unread, read = None, dict[str, None](), False
    for phase in past.phases:
        asked = gates_of(plan, _spec_of(plan, phase))
        found = {spec.gate: _recording(spec, phase.gates) for spec in asked}
        usual = {spec.gate for spec in asked if spec.is_default}
        unread |= {gate: None for gate, rows in found.items() if not rows and gate not in usual}
        readings = {gate: rows for gate, rows in found.items() if rows}
        read = read or bool(readings)
        specs = [spec for spec in asked if spec.gate in readings]
        stop = _replay(plan, phase, specs, readings)
        if stop is not None:
            break
    would = stop.would if stop else (Would.GO_ON if read else Would.UNKNOWN)
    result = Result(past, would, Compared.UNKNOWN, unread=tuple(unread))
    if stop is not None:
        gate = stop.gate
        result = replace(
            result,
            gate=gate.gate if gate else "",
            phase=stop.phase,
            at=stop.at,
            sentence=gate.sentence if gate else "",
        )
    return replace(result, compared=_compare(result))


def _compare(result: Result) -> Compared:
    past, would = result.rollout, result.would
    stops = would in {Would.ROLL_BACK, Would.PAUSE, Would.HOLD}
    if would is Would.UNKNOWN:
        return Compared.UNKNOWN
    if past.stopped_at is None:
        return Compared.STOPS_MORE if stops else Compared.SAME
    if not stops or result.at is None:
        return Compared.LETS_THROUGH
    apart = past.stopped_at - result.at
    if abs(apart) <= _SAME:
        return Compared.SAME
    return Compared.EARLIER if apart > timedelta(0) else Compared.LATER


def _spec_of(plan: Plan, phase: PastPhase) -> PhaseSpec:
    """Return the phase as it was, with criteria and pace of the plan's phase of that name, else of
    that place. A set of thresholds without phases has no criteria."""
    if not plan.phases:
        return replace(phase.spec, success_criteria=(), pace=plan.pace)
    named = next((spec for spec in plan.phases if spec.name == phase.spec.name), None)
    spec = named or plan.phases[min(phase.index, len(plan.phases) - 1)]
    return replace(phase.spec, success_criteria=spec.success_criteria, pace=spec.pace)


def _recording(spec: GateSpec, gates: Sequence[Recorded]) -> tuple[Reading, ...]:
    """Return the readings that answer a gate's question: of the gate itself, else of the same kind,
    else of any gate that asked the same of the same metric."""
    same = [one for one in gates if _asks_the_same(spec, one)]
    same.sort(key=lambda one: (one.gate != spec.gate, one.kind is not spec.kind))
    if not same:
        return ()
    readings = same[0].readings
    kept = tuple(
        reading
        for reading in readings
        if not reading.has_value or _is_source_of(spec, reading.source)
    )
    # Silence that is left over from another source's answers is no recording of this gate.
    was_valued = any(reading.has_value for reading in readings)
    return () if was_valued and not any(reading.has_value for reading in kept) else kept


def _asks_the_same(spec: GateSpec, one: Recorded) -> bool:
    if spec.kind is GateKind.TRIGGER or one.kind is GateKind.TRIGGER:
        return spec.kind is one.kind and spec.query == one.query
    if (spec.metric, spec.query) != (one.metric, one.query):
        return False
    only_reports = {reading.source for reading in one.readings} <= {Source.OPAMP.value}
    return spec.compare is one.compare or only_reports


def _is_source_of(spec: GateSpec, source: str) -> bool:
    return not source or source in {wanted.value for wanted in spec.sources}


def _replay(
    plan: Plan,
    phase: PastPhase,
    specs: Sequence[GateSpec],
    readings: Mapping[str, tuple[Reading, ...]],
) -> _Stop | None:
    """Return where the plan stops this phase, None when it lets it go on."""
    spec = _spec_of(plan, phase)
    window = ReadingFrame(
        observed_since=phase.deployed_at,
        interval_s=phase.interval_s,
        min_agents=spec.pace.min_agents,
        min_samples=spec.pace.min_samples,
    )
    times = {gate: _times(rows) for gate, rows in readings.items()}
    held: _Stop | None = None
    state = PhaseState.DEPLOYING
    for now, is_last in _moments(phase, times):
        if state is PhaseState.DEPLOYING and phase.deployed_at and now >= phase.deployed_at:
            state = PhaseState.OBSERVING
        observed_s = _observed_s(phase, now, is_last)
        is_over = state is PhaseState.OBSERVING and observed_s >= spec.duration_s
        gates = tuple(
            judge(one, _seen(one, readings[one.gate], times[one.gate], window, now), window, now)
            for one in specs
            if is_over or one.kind is not GateKind.CRITERION
        )
        decision = decide(_facts(plan, phase, spec, state, observed_s, gates), now)
        if decision.act in {Act.ROLL_BACK, Act.PAUSE}:
            would = Would.ROLL_BACK if decision.act is Act.ROLL_BACK else Would.PAUSE
            return _Stop(would, decision.gate, spec.name, now)
        if decision.act is Act.PASS:
            state, held = PhaseState.PASSED, None
        elif is_over and held is None and decision.gate is not None:
            held = _Stop(Would.HOLD, decision.gate, spec.name, now)
    return held


def _moments(
    phase: PastPhase, times: Mapping[str, list[datetime]]
) -> Iterator[tuple[datetime, bool]]:
    """Yield when to decide: at each reading, and where the phase ended (True)."""
    found = {at for known in times.values() for at in known}
    if phase.finished_at is not None:
        found.add(phase.finished_at)
    for at in sorted(found):
        if phase.began_at <= at and (phase.ended_at is None or at < phase.ended_at):
            yield at, at == phase.finished_at


def _observed_s(phase: PastPhase, now: datetime, is_last: bool) -> float:
    """Return how long the engine had watched: never more than it really did."""
    if phase.deployed_at is None:
        return 0.0
    return (
        phase.observed_s
        if is_last
        else min(phase.observed_s, (now - phase.deployed_at).total_seconds())
    )


def _times(readings: Sequence[Reading]) -> list[datetime]:
    return [reading.at for reading in readings if reading.at is not None]


def _seen(
    spec: GateSpec,
    readings: Sequence[Reading],
    times: Sequence[datetime],
    window: ReadingFrame,
    now: datetime,
) -> Sequence[Reading]:
    """Return what was known at `now`; of guards only as far back as they look."""
    until = bisect_right(times, now)
    if spec.kind is GateKind.CRITERION:
        return readings[:until]
    since = now - timedelta(seconds=2 * spec.for_s) - 4 * window.patience
    return readings[bisect_left(times, since) : until]


def _facts(
    plan: Plan,
    phase: PastPhase,
    spec: PhaseSpec,
    state: PhaseState,
    observed_s: float,
    gates: tuple[GateFacts, ...],
) -> RolloutFacts:
    """Return what the engine would have read, were gates the only thing that matters."""
    facts = PhaseFacts(
        index=phase.index,
        name=spec.name,
        state=state,
        manual=False,
        spec=spec,
        counts=_ONE,
        observed_s=observed_s,
    )
    return RolloutFacts(RolloutState.RUNNING, plan, (facts,), gates, watched=phase.index)
