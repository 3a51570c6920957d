"""OTLP exports as a collector makes them, in the least form a test needs."""

from __future__ import annotations

from typing import Any

from agents.gateway.own_metrics.otlp_pb2 import (
    AggregationTemporality,
    ExportMetricsServiceRequest,
    Metric,
)

START_NS = 1_700_000_000_000_000_000


def counter(
    name: str, *values: float, start_ns: int = START_NS, delta: bool = False, **labels: str
) -> Metric:
    """A monotonic sum with one point per value; `labels` go to every point."""
    metric = Metric(name=name)
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = (
        AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
        if delta
        else AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    )
    for value in values:
        point = metric.sum.data_points.add(start_time_unix_nano=start_ns, as_double=value)
        for key, text in labels.items():
            point.attributes.add(key=key).value.string_value = text
    return metric


def gauge(name: str, value: int, unit: str = "") -> Metric:
    metric = Metric(name=name, unit=unit)
    metric.gauge.data_points.add(as_int=value)
    return metric


def histogram(
    name: str, bounds: list[float], counts: list[int], unit: str = "s", total: float = 0.0
) -> Metric:
    metric = Metric(name=name, unit=unit)
    metric.histogram.aggregation_temporality = (
        AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    )
    metric.histogram.data_points.add(
        explicit_bounds=bounds, bucket_counts=counts, count=sum(counts), sum=total
    )
    return metric


def export(*metrics: Metric, **resource: Any) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    resource_metrics = request.resource_metrics.add()
    for key, value in resource.items():
        attribute = resource_metrics.resource.attributes.add(key=key.replace("_", "."))
        attribute.value.string_value = value
    resource_metrics.scope_metrics.add().metrics.extend(metrics)
    return request
