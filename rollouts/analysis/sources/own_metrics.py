"""Readings from the agents' own metrics that gateways keep (`agents.models.Series`).

At most `MOST_AGENTS` of a cohort are read: they are in the stable random order of the rollout, so
the first are as good as any, and a reading stays cheap for ten thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from agents.models import Series
from rollouts.analysis import cohort
from rollouts.analysis.cohort import PAST_S, Cohorts, warm_up_of
from rollouts.analysis.points import AgentSeries, Point, between
from rollouts.analysis.readings import Reading
from rollouts.analysis.scene import Member, Scene
from rollouts.analysis.specs import GateSpec
from rollouts.plans.metrics import Compare, Source

MOST_AGENTS = 500
LONGEST_AFTER = timedelta(hours=2)


class OwnMetricsSource:
    """One instance serves one scene: its series are loaded once for all gates."""

    name = Source.OWN_METRICS

    def __init__(self) -> None:
        self._changed: list[AgentSeries] | None = None
        self._control: list[AgentSeries] | None = None
        self._answers: dict[tuple[str, Compare], Reading] = {}

    def measures(self, spec: GateSpec) -> bool:
        return spec.metric in cohort.MEASURES and not spec.query

    def measure(self, spec: GateSpec, scene: Scene) -> Reading:
        key = (spec.metric, spec.compare)
        if key not in self._answers:
            cohorts = self._cohorts(scene, with_control=spec.compare is Compare.CONTROL)
            self._answers[key] = cohort.read(spec, cohorts, self.name)
        return self._answers[key]

    def _cohorts(self, scene: Scene, *, with_control: bool) -> Cohorts:
        if self._changed is None:
            self._changed = load_series(scene, scene.changed[:MOST_AGENTS])
        if self._control is None and with_control:
            self._control = load_series(scene, scene.control[:MOST_AGENTS])
        return Cohorts(
            changed=self._changed,
            control=self._control or (),
            now_s=scene.now.timestamp(),
            duration_s=float(scene.phase.spec["duration_s"]),
            changed_in_all=len(scene.changed),
        )


def load_series(scene: Scene, members: Sequence[Member]) -> list[AgentSeries]:
    """Return the series of these agents: before the phase began, and after the warm-up of their own
    change in it. Of agents that do not change in it: before it began (but after the warm-up of an
    earlier change), and after it was deployed. One query."""
    split_at = scene.phase.started_at or scene.now
    points = load_points(
        [m.agent_id for m in members], split_at - timedelta(seconds=PAST_S), scene.now
    )
    warm_up_s = warm_up_of(float(scene.phase.spec["duration_s"]))
    oldest = (scene.now - LONGEST_AFTER).timestamp()
    found = []
    for member in members:
        own = points.get(member.agent_id, [])
        changed_at = (member.changed_at or scene.since).timestamp()
        is_earlier = changed_at < split_at.timestamp()
        settled_at = changed_at + warm_up_s if is_earlier else 0.0
        since = scene.since.timestamp() if is_earlier else changed_at
        begins = max(since + warm_up_s, oldest)
        found.append(
            AgentSeries(
                agent_id=member.agent_id,
                before=between(own, settled_at, split_at.timestamp()),
                after=between(own, begins, scene.now.timestamp()),
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
