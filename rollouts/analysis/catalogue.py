"""The metrics that criteria and guards can name, and the sources that each comes from.

The one list behind gate tiles, the metrics page and docs/metrics.md. Pure; what it says has its words
in `console/words/sentences/metrics.py`. Units and directions are those of `rollouts.plans.metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.lib.quantities import Unit
from console.lib.texts import Text, text
from rollouts.plans.metrics import METRICS, Direction, MetricKind, Source

UNIT_WORDS: Mapping[Unit, Text | str] = {
    Unit.FRACTION: text("metric.unit_fraction"),
    Unit.COUNT: text("metric.unit_count"),
    Unit.NONE: text("metric.unit_none"),
}
SOURCE_WORDS: Mapping[Source, Text | str] = {
    Source.PROMETHEUS: "Prometheus",
    Source.OWN_METRICS: text("metric.own_metrics"),
    Source.OPAMP: "OpAMP",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: `sources` says per source what exactly is measured."""

    name: str
    title: Text
    definition: Text
    sources: Mapping[Source, Text]

    @property
    def kind(self) -> MetricKind:
        return METRICS[self.name]

    @property
    def unit(self) -> Text | str:
        """Say the unit in words."""
        return UNIT_WORDS.get(self.kind.unit, self.kind.unit.value)

    @property
    def direction(self) -> Text:
        """Say on which side of a limit the metric is bad."""
        is_below = self.kind.direction is Direction.BELOW
        return text("metric.lower_is_worse") if is_below else text("metric.higher_is_worse")


CATALOGUE = {
    metric.name: metric
    for metric in (
        Metric(
            "failure_rate",
            text("metric.failure_rate"),
            text("metric.failure_rate.means"),
            {
                Source.OPAMP: text("metric.failure_rate.opamp"),
                Source.OWN_METRICS: text("metric.failure_rate.own_metrics"),
                Source.PROMETHEUS: text("metric.failure_rate.prometheus"),
            },
        ),
        Metric(
            "error_count",
            text("metric.error_count"),
            text("metric.error_count.means"),
            {
                Source.OPAMP: text("metric.error_count.opamp"),
                Source.OWN_METRICS: text("metric.error_count.own_metrics"),
                Source.PROMETHEUS: text("metric.error_count.prometheus"),
            },
        ),
        Metric(
            "error_rate",
            text("metric.error_rate"),
            text("metric.error_rate.means"),
            {
                Source.OPAMP: text("metric.error_rate.opamp"),
                Source.OWN_METRICS: text("metric.error_rate.own_metrics"),
                Source.PROMETHEUS: text("metric.error_rate.prometheus"),
            },
        ),
        Metric(
            "cpu_increase",
            text("metric.cpu_increase"),
            text("metric.cpu_increase.means"),
            {
                Source.OWN_METRICS: text("metric.cpu_increase.own_metrics"),
                Source.PROMETHEUS: text("metric.cpu_increase.prometheus"),
            },
        ),
        Metric(
            "memory_growth",
            text("metric.memory_growth"),
            text("metric.memory_growth.means"),
            {
                Source.OWN_METRICS: text("metric.memory_growth.own_metrics"),
                Source.PROMETHEUS: text("metric.memory_growth.prometheus"),
            },
        ),
        Metric(
            "latency_p95",
            text("metric.latency_p95"),
            text("metric.latency_p95.means"),
            {
                Source.OWN_METRICS: text("metric.latency_p95.own_metrics"),
                Source.PROMETHEUS: text("metric.latency_p95.prometheus"),
            },
        ),
        Metric(
            "data_continuity",
            text("metric.data_continuity"),
            text("metric.data_continuity.means"),
            {
                Source.OWN_METRICS: text("metric.data_continuity.own_metrics"),
                Source.PROMETHEUS: text("metric.data_continuity.prometheus"),
            },
        ),
        Metric(
            "component_health",
            text("metric.component_health"),
            text("metric.component_health.means"),
            {Source.OPAMP: text("metric.component_health.opamp")},
        ),
    )
}


def words_of_source(name: str) -> Text | str:
    """Return how a source is called, as in `own metrics`; "" for none."""
    return next((words for source, words in SOURCE_WORDS.items() if source == name), name)


def title_of(name: str) -> Text | str:
    """Return the words for a metric; a metric of the user's own is called as it is named."""
    if name in CATALOGUE:
        return CATALOGUE[name].title
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
