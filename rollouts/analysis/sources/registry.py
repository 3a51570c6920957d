"""Which sources this deployment has, in no order: each gate brings its own."""

from __future__ import annotations

from rollouts.analysis.sources import MetricSource
from rollouts.analysis.sources.opamp import OpampSource
from rollouts.analysis.sources.own_metrics import OwnMetricsSource
from rollouts.analysis.sources.prometheus import PrometheusSource
from rollouts.analysis.sources.prometheus_api import PrometheusApi
from rollouts.plans.metrics import Source


def all_sources() -> dict[Source, MetricSource]:
    """Return fresh sources for one reading of one rollout."""
    found: list[MetricSource] = [
        PrometheusSource(PrometheusApi.from_settings),
        OwnMetricsSource(),
        OpampSource(),
    ]
    return {source.name: source for source in found}
