"""Taking readings of the gates of running rollouts, and judging those that were taken.

`take_measurements` runs in a task of its own, asks sources outside any transaction and writes one
row per gate. `load_gates` is what ticks and pages call: it reads those rows and asks nobody.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import F, OuterRef, Subquery

from console.lib.database.locks import alone
from console.lib.texts import text, to_json
from rollouts.analysis import guards
from rollouts.analysis.combine import read_gate
from rollouts.analysis.readings import STORED_FIELDS, Outcome, Reading, silent, stored
from rollouts.analysis.scene import Scene, watched_phase
from rollouts.analysis.sources import MetricSource
from rollouts.analysis.sources.opamp import OpampSource
from rollouts.analysis.sources.registry import all_sources
from rollouts.analysis.specs import GateSpec, gates_of
from rollouts.analysis.verdicts import ReadingFrame, judge
from rollouts.engine.evidence import from_shown
from rollouts.engine.facts import Counts, GateFacts, GateKind, Level
from rollouts.engine.floor import FLOOR, floor_gate
from rollouts.engine.states import BEGUN_PHASES, RolloutState
from rollouts.models import Measurement, Phase, Rollout, Waiver
from rollouts.plans.metrics import Source
from rollouts.plans.plan import PhaseSpec, Plan

logger = logging.getLogger(__name__)

MEASURED_STATES = (RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.COMPLETING)
READINGS_PER_PHASE = 10
SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S = 2.0, 30.0
MAX_ROWS = 5_000
LONGEST_RUN_S = 8.0
# What was read later than this from now was read before a clock was set back: it does not count.
CLOCK_SKEW = timedelta(seconds=5)
_ALL = 0  # stands for all rollouts where a rollout's id is expected
MEASURING = 0x7467  # the kind of advisory lock that one worker holds for a rollout it measures


def interval_of(duration_s: float) -> float:
    """Return the seconds between two readings: ten per phase, at least every 30 s."""
    return min(LONGEST_INTERVAL_S, max(SHORTEST_INTERVAL_S, duration_s / READINGS_PER_PHASE))


def measure_all(now: datetime) -> int:
    """Read the gates of every rollout that is due, those read longest ago first.

    One at a time in the whole deployment, and not for long: a Prometheus that is slow must not hold
    more than one worker, and what is left over comes first next time. Returns how many were read.
    """
    began, done = time.monotonic(), 0
    with alone(MEASURING, _ALL) as is_alone:
        for rollout_id in _longest_unread() if is_alone else ():
            if time.monotonic() - began > LONGEST_RUN_S:
                break
            try:
                done += take_measurements(rollout_id, now)
            except Exception:  # top of a loop: one rollout must not silence the others
                logger.exception("measuring failed", extra={"rollout": rollout_id})
    return done


def _longest_unread() -> list[int]:
    newest = Measurement.objects.filter(rollout=OuterRef("pk")).order_by("-at").values("at")[:1]
    found = Rollout.objects.filter(state__in=MEASURED_STATES).annotate(read_at=Subquery(newest))
    return list(
        found.order_by(F("read_at").asc(nulls_first=True), "pk").values_list("pk", flat=True)
    )


def take_measurements(rollout_id: int, now: datetime) -> bool:
    """Read every gate of the rollout's watched phase once, or between two readings the guards that
    cost nothing. False when nothing was written.

    Safe to run twice at once: the second finds the rollout taken (session advisory lock) or read.
    """
    with alone(MEASURING, rollout_id) as is_alone:
        if not is_alone:
            return False
        scene = _scene(rollout_id, now)
        if scene is None:
            return False
        specs = gate_specs(scene.rollout, scene.phase)
        if _is_due(scene):
            sources = all_sources()
            rows = [_row(scene, spec, _read(spec, scene, sources)) for spec in specs]
        else:
            rows = _new_breaches(scene, specs)
        Measurement.objects.bulk_create(rows)
    return bool(rows)  # pages show them after the next look, together with what it decides


def _new_breaches(scene: Scene, specs: Sequence[GateSpec]) -> list[Measurement]:
    """Read the gates over what agents report, and return guards that have become critical since
    they were read last, and criteria that are met no longer: a breach acts at once (spec section 1),
    also in a phase of hours, and nobody is shown "0 %" while agents refuse.

    Telemetry is asked at its own pace, and so is a gate that wants several readings.
    """
    sources = {Source.OPAMP: OpampSource()}
    rows = [
        _row(scene, spec, _read(spec, scene, sources))
        for spec in specs
        if spec.kind in {GateKind.THRESHOLD, GateKind.CRITERION}
        and Source.OPAMP in spec.sources
        and spec.consecutive == 1
        and not spec.failure_limit
    ]
    bad = [row for row in rows if _is_breach(row.level, row.breached)]
    if not bad:
        return []
    read = Measurement.objects.filter(phase=scene.phase, gate__in=[row.gate for row in bad])
    newest = read.order_by("gate", "-at").distinct("gate")
    said = newest.values_list("gate", "level", "breached")
    was_bad = {gate for gate, level, breached in said if _is_breach(level, breached)}
    return [row for row in bad if row.gate not in was_bad]


def _is_breach(level: str, breached: bool | None) -> bool:
    """Whether a row says that a guard is critical, or a criterion not met."""
    return level == Level.CRITICAL or breached is True


def _read(spec: GateSpec, scene: Scene, sources: Mapping[Source, MetricSource]) -> Reading:
    """Read one gate. Whatever goes wrong with it is its own reading: the others are still taken."""
    try:
        reading = read_gate(spec, scene, sources)
    except Exception:  # top of a loop: one gate must not silence the others
        logger.exception("a gate cannot be read", extra={"gate": spec.gate})
        note = text("reading.failed")
        return silent(Outcome.ERROR, "", note, spec.query)
    numbers = (reading.value, reading.low, reading.high)
    if all(number is None or math.isfinite(number) for number in numbers):
        return reading
    return silent(Outcome.ERROR, reading.source, text("reading.not_finite"), reading.query)


def load_gates(
    rollout: Rollout,
    phase: Phase,
    now: datetime,
    waivers: Mapping[str, str] | None = None,
    skew: timedelta = CLOCK_SKEW,
) -> tuple[GateFacts, ...]:
    """Return every measured gate of a phase, judged on the measurements taken. Two queries, one for
    environment guards, none to the outside."""
    specs = gate_specs(rollout, phase)
    if not specs:
        return ()
    spec = PhaseSpec.from_dict(phase.spec)
    window = ReadingFrame(
        observed_since=phase.deployed_at,
        interval_s=interval_of(spec.duration_s),
        min_agents=spec.pace.min_agents,
        min_samples=spec.pace.min_samples,
    )
    readings = _readings(rollout, phase, specs, now + skew)
    waivers = _waivers(phase, now + skew) if waivers is None else waivers
    return tuple(
        judge(gate, readings.get(gate.gate, []), window, now, waivers.get(gate.gate))
        for gate in specs
    )


def gates_now(
    rollout: Rollout, phases: Sequence[Phase], now: datetime, *, skew: timedelta = CLOCK_SKEW
) -> tuple[GateFacts, ...]:
    """Return every gate of the watched phase, judged: its measured ones, and the floor.

    `skew`: none where gates are shown as they were when something was decided."""
    watched = watched_phase(phases)
    if watched is None:
        return ()
    waivers = _waivers(watched, now + skew)
    gates = load_gates(rollout, watched, now, waivers, skew)
    floor = _floor(rollout, watched, phases, waivers, now)
    return (*gates, floor) if floor is not None else gates


def _floor(
    rollout: Rollout,
    watched: Phase,
    phases: Sequence[Phase],
    waivers: Mapping[str, str],
    now: datetime,
) -> GateFacts | None:
    """Return the floor on the counts as they are; of a rollout that came back, as it was then."""
    rollback = None if rollout.state in MEASURED_STATES else getattr(rollout, "rollback", None)
    if rollback is not None:
        kept = (gate for gate in rollback.cause.get("gates", ()) if gate["gate"] == FLOOR)
        return next(map(from_shown, kept), None)
    return floor_gate(
        Counts.from_dict(watched.counts),
        [Counts.from_dict(p.counts) for p in phases if p.state in BEGUN_PHASES],
        PhaseSpec.from_dict(watched.spec).pace.tolerated_failures,
        now,
        waivers.get(FLOOR),
    )


def _waivers(phase: Phase, until: datetime) -> dict[str, str]:
    """Return who waived which gate of a phase."""
    found = Waiver.objects.filter(phase=phase, at__lte=until)
    return dict(found.values_list("gate", "by__username"))


def gate_specs(rollout: Rollout, phase: Phase) -> tuple[GateSpec, ...]:
    """Return the gates of a phase: the plan's, and those of the environments it touches."""
    plan, spec = Plan.from_dict(rollout.plan), PhaseSpec.from_dict(phase.spec)
    return gates_of(plan, spec, guards.of_environments(phase.environments))


def _scene(rollout_id: int, now: datetime) -> Scene | None:
    rollout = Rollout.objects.filter(pk=rollout_id, state__in=MEASURED_STATES).first()
    if rollout is None:
        return None
    phases = list(Phase.objects.filter(rollout=rollout))
    phase = watched_phase(phases)
    return None if phase is None else Scene(rollout, phase, phases, now)


def _is_due(scene: Scene) -> bool:
    newest = (
        Measurement.objects.filter(rollout=scene.rollout, phase=scene.phase)
        .filter(at__lte=scene.now + CLOCK_SKEW)
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
    )
    interval_s = interval_of(PhaseSpec.from_dict(scene.phase.spec).duration_s)
    # The task comes round every 2 s: without this tolerance a pace of 2 s would become 4 s.
    return newest is None or (scene.now - newest).total_seconds() >= interval_s * 0.9


def _row(scene: Scene, spec: GateSpec, reading: Reading) -> Measurement:
    value = reading.value
    level = spec.level_of(value).value if value is not None and spec.operator in _SIDES else ""
    breached = reading.breached
    if breached is None and value is not None and spec.operator and spec.operator not in _SIDES:
        breached = not spec.is_met(value)
    return Measurement(
        rollout=scene.rollout,
        phase=scene.phase,
        gate=spec.gate,
        metric=spec.metric,
        source=reading.source,
        outcome=reading.outcome.value,
        value=value,
        agents=reading.agents,
        samples=reading.samples,
        breached=breached,
        level=level,
        inputs={
            **reading.inputs,
            "query": to_json(reading.query),
            "low": reading.low,
            "high": reading.high,
        },
        note=reading.note,
        at=scene.now,
    )


_SIDES = frozenset({"above", "below"})


def _readings(
    rollout: Rollout, phase: Phase, specs: tuple[GateSpec, ...], until: datetime
) -> dict[str, list[Reading]]:
    """Return readings by gate, oldest first: of the phase, and far enough back for triggers."""
    longest_s = max(spec.for_s for spec in specs)
    since = min(phase.started_at or until, until - timedelta(seconds=2 * longest_s + 60))
    rows = (
        Measurement.objects.filter(rollout=rollout, at__gte=since, at__lte=until)
        .order_by("-at")
        .values("phase_id", *STORED_FIELDS)[:MAX_ROWS]
    )
    triggers = {spec.gate for spec in specs if not spec.operator}
    found: dict[str, list[Reading]] = {}
    for row in rows:
        # A trigger speaks of the rollout; a criterion or threshold of this phase only.
        if row["phase_id"] == phase.pk or row["gate"] in triggers:
            found.setdefault(row["gate"], []).append(stored(row))
    return {gate: readings[::-1] for gate, readings in found.items()}
