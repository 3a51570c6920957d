"""Readings from the agents' own metrics that gateways keep (`agents.models.Series`).

At most `MOST_AGENTS` of a cohort are read: they are in the stable random order of the rollout, so
the first are as good as any, and a reading stays cheap for ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from agents.gateway.otlp_series import LATENCY_BOUNDS_MS
from agents.models import Series
from rollouts.analysis import comparing, flows
from rollouts.analysis.catalogue import CATALOGUE
from rollouts.analysis.comparing import Answer, Cohort
from rollouts.analysis.points import AgentSeries, Point, between
from rollouts.analysis.readings import Outcome, Reading, silent
from rollouts.analysis.scene import Member, Scene
from rollouts.analysis.specs import GateSpec
from rollouts.plans.metrics import Compare, Source

NAME = Source.OWN_METRICS.value
MOST_AGENTS = 500
BEFORE = timedelta(minutes=30)
LONGEST_AFTER = timedelta(hours=2)
STALE = timedelta(seconds=150)
# Of the agents that sent metrics before the change, so many must still do.
FEWEST_STILL_SENDING = 0.8
LONGEST_WARM_UP_S, SHORTEST_WARM_UP_S = 60.0, 4.0


def warm_up_of(duration_s: float) -> float:
    """Return how long after its change an agent's numbers do not count: a tenth of the phase, at
    most a minute. A collector restarts to apply, and starting is not how it runs."""
    return min(LONGEST_WARM_UP_S, max(SHORTEST_WARM_UP_S, duration_s / 10))


class OwnMetricsSource:
    """One instance serves one scene: its series are loaded once for all gates."""

    name = Source.OWN_METRICS

    def __init__(self) -> None:
        self._cohorts: Cohorts | None = None
        self._answers: dict[tuple[str, Compare], Reading] = {}

    def measures(self, spec: GateSpec) -> bool:
        return spec.metric in _METRICS and not spec.query

    def measure(self, spec: GateSpec, scene: Scene) -> Reading:
        key = (spec.metric, spec.compare)
        if key not in self._answers:
            if self._cohorts is None or self._cohorts.scene is not scene:
                self._cohorts = Cohorts(scene)
            self._answers[key] = _measure(spec, self._cohorts)
        return self._answers[key]


class Cohorts:
    """The series of the scene's changed and unchanged agents."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.warm_up_s = warm_up_of(float(scene.phase.spec["duration_s"]))
        self.split_at = scene.phase.started_at or scene.now
        self._since = self.split_at - BEFORE
        self._oldest = scene.now - LONGEST_AFTER

    @cached_property
    def changed(self) -> list[AgentSeries]:
        """Agents that run the new version, from their warm-up on."""
        return self._series(self.scene.changed[:MOST_AGENTS])

    @cached_property
    def control(self) -> list[AgentSeries]:
        """Agents not changed yet, over the same time."""
        return self._series(self.scene.unchanged[:MOST_AGENTS])

    def _series(self, members: Sequence[Member]) -> list[AgentSeries]:
        points = load_points([m.agent_id for m in members], self._since, self.scene.now)
        split, oldest = self.split_at.timestamp(), self._oldest.timestamp()
        now = self.scene.now.timestamp()
        found = []
        for member in members:
            own = points.get(member.agent_id, [])
            changed_at = (member.changed_at or self.scene.since).timestamp()
            begins = max(changed_at + self.warm_up_s, oldest)
            found.append(
                AgentSeries(
                    agent_id=member.agent_id,
                    before=between(own, 0.0, min(split, changed_at)),
                    after=between(own, begins, now),
                    stratum=member.stratum,
                    after_s=begins,
                )
            )
        return found


def load_points(
    agent_ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, list[Point]]:
    """Return the points of these agents in a window, oldest first. One query."""
    rows = (
        Series.objects.filter(agent_id__in=agent_ids, at__gte=since, at__lte=until)
        .order_by("agent_id", "at")
        .values_list("agent_id", "measured_at", "started_at", *_COLUMNS)
    )
    found: dict[int, list[Point]] = {}
    for agent_id, at, started_at, *values in rows.iterator(chunk_size=5_000):
        found.setdefault(agent_id, []).append(_point(at, started_at, values))
    return found


_COLUMNS = (
    "cpu_s",
    "rss_bytes",
    "queue_items",
    "error_logs",
    "received",
    "refused",
    "sent",
    "failed",
    "latency_counts",
)


def _point(at: datetime, started_at: datetime | None, values: Sequence[Any]) -> Point:
    none = (None, None, None)
    cpu_s, rss_bytes, queue_items, error_logs, received, refused, sent, failed, latency = values
    return Point(
        at=at.timestamp(),
        started_at=started_at.timestamp() if started_at else None,
        cpu_s=cpu_s,
        rss_bytes=rss_bytes,
        queue_items=queue_items,
        error_logs=error_logs,
        received=received or none,
        refused=refused or none,
        sent=sent or none,
        failed=failed or none,
        latency_counts=latency,
    )


def _measure(spec: GateSpec, cohorts: Cohorts) -> Reading:
    query = CATALOGUE[spec.metric].sources[Source.OWN_METRICS]
    nothing = _why_nothing(cohorts)
    if nothing is not None:
        return silent(nothing[0], NAME, nothing[1], query)
    changed = [series for series in cohorts.changed if len(series.after) > 1]
    control: Cohort = cohorts.control if spec.compare is Compare.CONTROL else ()
    answer = _METRICS[spec.metric](changed, control, spec.compare)
    warm_up = f"the first {cohorts.warm_up_s:g} s after each change left out"
    note = "; ".join(filter(None, [answer.note, warm_up]))
    if answer.estimate is None:
        return silent(Outcome.NO_DATA, NAME, note, query)
    found = answer.estimate
    return Reading(
        outcome=Outcome.VALUE,
        value=found.value,
        low=found.low,
        high=found.high,
        agents=found.agents,
        samples=found.samples,
        source=NAME,
        note=note,
        query=query,
        inputs={"compare": spec.compare.value},
    )


def _why_nothing(cohorts: Cohorts) -> tuple[Outcome, str] | None:
    """Say why there is nothing to go by, None when there is. Agents that fell silent with the change
    are a reason to doubt the rest, not to leave them out."""
    changed = cohorts.changed
    if not changed:
        return Outcome.NO_DATA, "no agent runs the new version yet"
    sending = [series for series in changed if len(series.after) > 1]
    now_s = cohorts.scene.now.timestamp()
    due = [series for series in changed if series.should_have_sent(now_s)]
    if not sending:
        if due:
            return Outcome.STALE, "the agents send no own metrics since the change"
        if any(series.before for series in changed):
            return Outcome.NO_DATA, "no own metrics since the warm-up after the change yet"
        return Outcome.NO_DATA, "the agents send no own metrics"
    newest = max(series.after[-1].at for series in sending)
    age_s = now_s - newest
    if age_s > STALE.total_seconds():
        return Outcome.STALE, f"the newest own metrics are {age_s:.0f} s old"
    still = sum(len(series.after) > 1 for series in due)
    if still < FEWEST_STILL_SENDING * len(due):
        return Outcome.STALE, f"{still} of {len(due)} agents that sent own metrics before still do"
    return None


_Measure = Callable[[Cohort, Cohort, Compare], Answer]
_METRICS: dict[str, _Measure] = {
    "cpu_increase": comparing.cpu_increase,
    "memory_growth": comparing.memory_growth,
    "failure_rate": flows.failure_rate,
    "error_count": flows.error_count,
    "error_rate": flows.error_rate,
    "data_continuity": flows.data_continuity,
    "latency_p95": lambda changed, control, compare: flows.latency_p95(
        changed, control, compare, LATENCY_BOUNDS_MS
    ),
}
