"""Readings from the agents' own metrics that gateways keep (`agents.models.Series`).

At most `MOST_AGENTS` of a cohort are read: they are in the stable random order of the rollout, so
the first are as good as any, and a reading stays cheap for ten thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import FloatField, Func

from agents.models import Series
from agents.own_metrics import LISTS, NUMBERS
from rollouts.analysis import cohort
from rollouts.analysis.cohort import PAST_S, Cohorts, warm_up_of
from rollouts.analysis.points import AgentSeries, Point, between, lives
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
    earlier change), and after it was deployed. Two queries."""
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
    return with_lists(found)


def load_points(
    agent_ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, list[Point]]:
    """Return the points of these agents in a window, oldest first, without their lists. One query.

    Times come as seconds: tens of thousands of them are dear to take apart as dates.
    """
    rows = (
        Series.objects.filter(agent_id__in=agent_ids, at__gte=since, at__lte=until)
        .annotate(_at=_Seconds("measured_at"), _began=_Seconds("started_at"))
        .order_by("agent_id", "at")
        .values_list("agent_id", "pk", "_at", "_began", *NUMBERS)
    )
    found: dict[int, list[Point]] = {}
    for agent_id, row, at, started_at, cpu_s, rss_bytes, queue, errors in rows.iterator(
        chunk_size=5_000
    ):
        point = Point(at, started_at, cpu_s, rss_bytes, queue, errors, row=row)
        found.setdefault(agent_id, []).append(point)
    return found


def with_lists(all_series: Sequence[AgentSeries]) -> list[AgentSeries]:
    """Read the lists of the points that increases are taken between: the first and the last of each
    life. They are most of a row, and of all those in the middle nobody asks for them. One query."""
    windows = [points for series in all_series for points in (series.before, series.after)]
    found = (end for points in windows for life in lives(points) for end in (life[0], life[-1]))
    ends = {point.row for point in found if point.row is not None}
    rows = Series.objects.filter(pk__in=ends).values_list("pk", *LISTS)
    lists: dict[int | None, dict[str, Any]] = {
        row: {name: value for name, value in zip(LISTS, values, strict=True) if value is not None}
        for row, *values in rows
    }

    def filled(points: Sequence[Point]) -> tuple[Point, ...]:
        return tuple(
            replace(point, **lists[point.row]) if point.row in lists else point for point in points
        )

    return [
        replace(series, before=filled(series.before), after=filled(series.after))
        for series in all_series
    ]


class _Seconds(Func):
    template = "EXTRACT(EPOCH FROM %(expressions)s)::float8"
    output_field = FloatField()
