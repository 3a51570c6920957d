"""Which sources this deployment has, in no order: each gate brings its own."""

from __future__ import annotations

from rollouts.analysis.sources import MetricSource
from rollouts.analysis.sources.opamp import OpampSource
from rollouts.analysis.sources.own_metrics import OwnMetricsSource
from rollouts.plans.metrics import Source


def all_sources() -> dict[Source, MetricSource]:
    """Return the sources that are set up here."""
    found: list[MetricSource] = [OwnMetricsSource(), OpampSource()]
    return {source.name: source for source in found}
