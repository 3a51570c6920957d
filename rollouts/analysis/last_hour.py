"""What the gates of a plan would say of the last hour, had the change been made in its middle.

Nothing changed then, so a gate that fails on it would fail a good version too: its limit is too near,
or the fleet is not well now. Only the agents' own metrics are asked; what agents say of a delivery
(refused, silent) has no past.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.lib.texts import Text
from rollouts.analysis import cohort
from rollouts.analysis.cohort import Cohorts
from rollouts.analysis.points import AgentSeries, between
from rollouts.analysis.readings import Reading
from rollouts.analysis.sources.own_metrics import load_points, with_lists
from rollouts.analysis.specs import GateSpec, gates_of
from rollouts.analysis.verdicts import Side, side_of
from rollouts.engine.facts import GateKind, Level
from rollouts.plans.metrics import Compare, Source
from rollouts.plans.plan import Plan

HOUR = timedelta(hours=1)
MOST_AGENTS = 200


@dataclass(frozen=True, slots=True)
class WouldBe:
    """One gate. `passes` is None when there is no value to judge; `note` says why, or what is to be
    known of the value."""

    title: Text | str
    unit: str
    value: float | None
    limit: float | None
    passes: bool | None
    agents: int
    note: Text | str
    is_guard: bool


def on_last_hour(plan: Plan, agent_ids: Sequence[int], now: datetime) -> list[WouldBe]:
    """Return each gate that own metrics can answer, once; two queries."""
    specs = list(_asked(plan))
    if not specs or not agent_ids:
        return []
    ids = agent_ids[:MOST_AGENTS]
    series = _series(ids, now)
    half = (len(series) + 1) // 2
    return [_would_be(spec, series, half, plan, now) for spec in specs]


def _asked(plan: Plan) -> Iterator[GateSpec]:
    """Yield the gates that agents' own metrics answer; those of several phases once."""
    seen: set[tuple[str, float | None]] = set()
    for phase in plan.phases:
        for spec in gates_of(plan, phase):
            answers = Source.OWN_METRICS in spec.sources and spec.metric in cohort.MEASURES
            if answers and not spec.query and (spec.gate, spec.limit) not in seen:
                seen.add((spec.gate, spec.limit))
                yield spec


def _series(agent_ids: Sequence[int], now: datetime) -> list[AgentSeries]:
    points = load_points(agent_ids, now - HOUR, now)
    middle = (now - HOUR / 2).timestamp()
    return with_lists(
        [
            AgentSeries(
                agent_id=agent_id,
                before=between(points.get(agent_id, []), 0.0, middle),
                after=between(points.get(agent_id, []), middle, now.timestamp()),
                after_s=middle,
            )
            for agent_id in agent_ids
        ]
    )


def _would_be(
    spec: GateSpec, series: Sequence[AgentSeries], half: int, plan: Plan, now: datetime
) -> WouldBe:
    by_control = spec.compare is Compare.CONTROL
    cohorts = Cohorts(
        changed=series[:half] if by_control else series,
        control=series[half:] if by_control else (),
        now_s=now.timestamp(),
        duration_s=plan.phases[0].duration_s,
        changed_in_all=half if by_control else len(series),
    )
    reading = cohort.read(spec, cohorts, Source.OWN_METRICS)
    return WouldBe(
        title=spec.title,
        unit=spec.unit,
        value=reading.value,
        limit=spec.limit,
        passes=_passes(spec, reading),
        agents=reading.agents,
        note=reading.note,
        is_guard=spec.kind is not GateKind.CRITERION,
    )


def _passes(spec: GateSpec, reading: Reading) -> bool | None:
    if reading.value is None:
        return None
    if spec.kind is GateKind.CRITERION:
        side = side_of(spec, reading)
        return None if side is Side.UNCLEAR else side is Side.GOOD
    return spec.level_of(reading.value) is not Level.CRITICAL
