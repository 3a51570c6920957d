"""From an OTLP metrics export to the few numbers that gates need. Pure.

Names are taken with and without the `_total` that Prometheus adds. Everything else in an export is
passed over. Times are seconds since 1970; counters are cumulative since `started_at`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from agents.gateway.own_metrics.otlp_pb2 import (
    AGGREGATION_TEMPORALITY_DELTA,
    ExportMetricsServiceRequest,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
)
from agents.own_metrics import FLOWS, LATENCY_BOUNDS_MS, SIGNALS

Flow = list[float | None]
# Far beyond what any process counts, and small enough that sums and squares stay finite.
MOST_OF_ANYTHING = 1e18

_UNIT_MS = {"s": 1000.0, "ms": 1.0, "us": 0.001, "ns": 0.000001}
# Where an agent says how long sending takes, the best first. The collector has the first three at
# `level: detailed`; without any of them the latency of its batches counts.
_LATENCY = (
    "http.client.request.duration",
    "rpc.client.call.duration",
    "rpc.client.duration",
    "http.client.duration",
    "otelcol_exporter_send_latency",
    "otelcol_processor_batch_send_latency",
)
_FLOW_NAMES = {
    f"{prefix}_{signal}": (flow, position)
    for flow, prefixes in {
        "received": ("otelcol_receiver_accepted",),
        "refused": ("otelcol_receiver_refused", "otelcol_receiver_failed"),
        "sent": ("otelcol_exporter_sent",),
        "failed": ("otelcol_exporter_send_failed", "otelcol_exporter_enqueue_failed"),
    }.items()
    for prefix in prefixes
    for position, signal in enumerate(SIGNALS)
}
_CPU = frozenset({"otelcol_process_cpu_seconds", "process.cpu.time", "process_cpu_seconds"})
_RSS = frozenset(
    {"otelcol_process_memory_rss", "otelcol_process_memory_rss_bytes", "process.memory.usage"}
)
_QUEUE = "otelcol_exporter_queue_size"
_BATCH = "otelcol_processor_batch_batch_send_size"
_LOGS = frozenset({"otelcol_log_records", "log_records"})
_SEVERITY_KEYS = frozenset({"level", "severity", "severity_text"})
_ERRORS = frozenset({"error", "fatal", "panic", "dpanic", "critical"})


@dataclass(slots=True)
class LastNumbers:
    """The last known numbers of one agent. None: never reported."""

    measured_at: float
    started_at: float | None = None
    cpu_s: float | None = None
    rss_bytes: float | None = None
    queue_items: float | None = None
    error_logs: float | None = None
    received: Flow = field(default_factory=lambda: [None] * len(SIGNALS))
    refused: Flow = field(default_factory=lambda: [None] * len(SIGNALS))
    sent: Flow = field(default_factory=lambda: [None] * len(SIGNALS))
    failed: Flow = field(default_factory=lambda: [None] * len(SIGNALS))
    latency_counts: list[float] | None = None

    def absorb(self, newer: LastNumbers) -> None:
        """Take over what a newer export says; what it does not say stays. An export may be split."""
        self.measured_at = newer.measured_at
        for name in ("started_at", "cpu_s", "rss_bytes", "queue_items", "error_logs"):
            value = getattr(newer, name)
            if value is not None:
                setattr(self, name, value)
        if newer.latency_counts is not None:
            self.latency_counts = newer.latency_counts
        for flow in FLOWS:
            mine, theirs = getattr(self, flow), getattr(newer, flow)
            for position, value in enumerate(theirs):
                if value is not None:
                    mine[position] = value

    def flows(self) -> dict[str, Flow]:
        """Return the flows with zeros where a series is missing beside a present one: a failure
        that never happened has no series, and neither has an exporter that never sent."""
        present = [
            any(getattr(self, flow)[position] is not None for flow in FLOWS)
            for position in range(len(SIGNALS))
        ]
        return {
            flow: [
                0.0 if value is None and is_present else value
                for value, is_present in zip(getattr(self, flow), present, strict=True)
            ]
            for flow in FLOWS
        }


@dataclass(slots=True)
class _Reading:
    """One export while it is read."""

    sample: LastNumbers
    started_ns: int = 0
    queue_size: float | None = None
    queue_is_batches: bool = False
    batch_items: float = 1.0
    latency_rank: int = len(_LATENCY)
    passed_over: int = 0


def read(request: ExportMetricsServiceRequest, now: float) -> tuple[LastNumbers, int]:
    """Return what an export says, as of `now`, and how many points were passed over: those of delta
    temporality (Tidegate keeps no totals for agents), and values that cannot be (below nought, not a
    number, without end), with which one agent could make every comparison meaningless."""
    reading = _Reading(LastNumbers(measured_at=now))
    for metric in _metrics(request.resource_metrics):
        _take(reading, metric)
    sample = reading.sample
    if reading.started_ns:
        sample.started_at = reading.started_ns / 1e9
    if reading.queue_size is not None:
        per_entry = reading.batch_items if reading.queue_is_batches else 1.0
        sample.queue_items = _sane(reading.queue_size * per_entry)
    return sample, reading.passed_over


def _metrics(resources: Iterable[ResourceMetrics]) -> Iterable[Metric]:
    for resource in resources:
        for scope in resource.scope_metrics:
            yield from scope.metrics


def _take(reading: _Reading, metric: Metric) -> None:
    name = metric.name.removesuffix("_total")
    flow = _FLOW_NAMES.get(name)
    if flow is not None:
        _take_flow(reading, metric, *flow)
    elif name in _TAKES:
        _TAKES[name](reading, metric)


def _sum_of(reading: _Reading, metric: Metric) -> float | None:
    """Add up the points of a cumulative counter over their attributes; None without points, and when
    one of them cannot be: a sum that lacks a part is no sum."""
    if metric.sum.aggregation_temporality == AGGREGATION_TEMPORALITY_DELTA:
        reading.passed_over += len(metric.sum.data_points)
        return None
    points = metric.sum.data_points or metric.gauge.data_points
    for point in points:
        started = point.start_time_unix_nano
        if started and (not reading.started_ns or started < reading.started_ns):
            reading.started_ns = started
    return _added_up(reading, points) if points else None


def _added_up(reading: _Reading, points: Iterable[NumberDataPoint]) -> float | None:
    values = [_value(point) for point in points]
    known = [value for value in values if value is not None]
    reading.passed_over += len(values) - len(known)
    return sum(known, 0.0) if len(known) == len(values) else None


def _value(point: NumberDataPoint) -> float | None:
    return _sane(point.as_double if point.WhichOneof("value") == "as_double" else point.as_int)


def _sane(value: float) -> float | None:
    return value if 0 <= value <= MOST_OF_ANYTHING else None


def _take_flow(reading: _Reading, metric: Metric, flow: str, position: int) -> None:
    total = _sum_of(reading, metric)
    if total is not None:
        values: Flow = getattr(reading.sample, flow)
        # Refused and failed have two sources each: kept out, and broken inside.
        values[position] = (values[position] or 0.0) + total


def _take_cpu(reading: _Reading, metric: Metric) -> None:
    reading.sample.cpu_s = _sum_of(reading, metric)


def _take_rss(reading: _Reading, metric: Metric) -> None:
    reading.sample.rss_bytes = _sum_of(reading, metric)


def _take_queue(reading: _Reading, metric: Metric) -> None:
    reading.queue_size = _sum_of(reading, metric)
    reading.queue_is_batches = any(word in metric.unit for word in ("batch", "request"))


def _take_batch(reading: _Reading, metric: Metric) -> None:
    """Keep the mean size of a batch: queues are counted in batches, flows in items."""
    count = sum(point.count for point in metric.histogram.data_points)
    if count:
        items = _sane(sum(point.sum for point in metric.histogram.data_points) / count)
        reading.batch_items = 1.0 if items is None else items


def _take_logs(reading: _Reading, metric: Metric) -> None:
    if metric.sum.aggregation_temporality == AGGREGATION_TEMPORALITY_DELTA:
        reading.passed_over += len(metric.sum.data_points)
        return
    errors = [point for point in metric.sum.data_points if _is_of_error(point)]
    reading.sample.error_logs = _added_up(reading, errors)


def _is_of_error(point: NumberDataPoint) -> bool:
    words = {a.value.string_value.lower() for a in point.attributes if a.key in _SEVERITY_KEYS}
    return not words.isdisjoint(_ERRORS)


def _take_latency(reading: _Reading, metric: Metric) -> None:
    """Add the points' buckets up on our own bounds; a better name replaces a lesser one."""
    rank = _LATENCY.index(metric.name)
    if metric.histogram.aggregation_temporality == AGGREGATION_TEMPORALITY_DELTA:
        reading.passed_over += len(metric.histogram.data_points)
        return
    if rank > reading.latency_rank:
        return
    reading.latency_rank = rank
    scale = _UNIT_MS.get(metric.unit or "ms", 1.0)
    counts = [0.0] * (len(LATENCY_BOUNDS_MS) + 1)
    for point in metric.histogram.data_points:
        bounds = [*point.explicit_bounds, float("inf")]
        if len(point.bucket_counts) != len(bounds):
            continue
        for bound, count in zip(bounds, point.bucket_counts, strict=True):
            if count:
                # The small slack keeps 0.075 s in the bucket of 75 ms despite floating point.
                counts[bisect_left(LATENCY_BOUNDS_MS, bound * scale * (1 - 1e-9))] += count
    reading.sample.latency_counts = counts


_TAKES: dict[str, Callable[[_Reading, Metric], None]] = {
    **dict.fromkeys(_CPU, _take_cpu),
    **dict.fromkeys(_RSS, _take_rss),
    **dict.fromkeys(_LOGS, _take_logs),
    **dict.fromkeys(_LATENCY, _take_latency),
    _QUEUE: _take_queue,
    _BATCH: _take_batch,
}
