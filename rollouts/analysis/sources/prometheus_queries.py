"""The PromQL behind each metric of the catalogue, as the source really asks it, for people to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.conf import settings

from rollouts.analysis.identity import agent_labels, grouping_of
from rollouts.analysis.scene import Member
from rollouts.analysis.sources.prometheus_agents import Merge
from rollouts.analysis.sources.prometheus_metrics import METRICS, Asked
from rollouts.plans.metrics import Compare

WINDOW_S = 300.0


class _Listed(Asked):
    """Notes what would be asked over five minutes, and asks nobody."""

    def __init__(self) -> None:
        self.queries: dict[str, None] = {}

    @property
    def duration_s(self) -> float:
        return WINDOW_S

    @property
    def members(self) -> Sequence[Member]:
        return ()

    @property
    def controls(self) -> Sequence[Member]:
        return ()

    @property
    def grouping(self) -> tuple[str, ...]:
        return grouping_of(agent_labels(settings.PROMETHEUS_AGENT_LABELS))

    def after(self, build: Callable[[float], str], merge: Merge = sum) -> dict[int, float]:
        self.queries[build(WINDOW_S)] = None
        return {}

    def before(self, build: Callable[[float], str], merge: Merge = sum) -> dict[int, float]:
        return self.after(build)


def queries_of(metric: str) -> tuple[str, ...]:
    """Return the queries of one metric, each once; () for one that Prometheus is not asked for."""
    if metric not in METRICS:
        return ()
    listed = _Listed()
    METRICS[metric](listed, Compare.ABSOLUTE)
    return tuple(listed.queries)
