from __future__ import annotations

import math

import pytest

from agents.gateway.own_metrics.otlp_pb2 import ExportMetricsServiceRequest, Metric
from agents.gateway.own_metrics.series import LastNumbers, read
from agents.own_metrics import LATENCY_BOUNDS_MS
from tests.agents.gateway.own_metrics.exports import START_NS, counter, export, gauge, histogram

SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]


def sample_of(*metrics: Metric) -> LastNumbers:
    sample, _ = read(export(*metrics), 1000.0)
    return sample


@pytest.mark.parametrize("suffix", ["", "_total"])
def test_names_are_read_with_and_without_the_suffix_of_prometheus(suffix: str) -> None:
    sample = sample_of(
        counter(f"otelcol_process_cpu_seconds{suffix}", 12.5),
        counter(f"otelcol_exporter_sent_spans{suffix}", 100),
    )
    assert sample.cpu_s == 12.5
    assert sample.sent[0] == 100


def test_points_of_several_exporters_and_receivers_are_added_up() -> None:
    sample = sample_of(counter("otelcol_exporter_sent_log_records", 10, 20, 30))
    assert sample.sent == [None, None, 60.0]


def test_refused_and_broken_items_count_together() -> None:
    sample = sample_of(
        counter("otelcol_receiver_refused_spans", 3), counter("otelcol_receiver_failed_spans", 4)
    )
    assert sample.refused[0] == 7


def test_a_missing_failure_series_beside_a_present_one_is_zero() -> None:
    flows = sample_of(counter("otelcol_receiver_accepted_spans", 5)).flows()
    assert flows["failed"] == [0.0, None, None]
    assert flows["sent"] == [0.0, None, None]


def test_a_signal_without_any_series_stays_unknown() -> None:
    flows = sample_of(counter("otelcol_process_cpu_seconds", 1)).flows()
    assert flows["sent"] == [None, None, None]


def test_the_start_is_that_of_the_oldest_series() -> None:
    later = START_NS + 5_000_000_000
    sample = sample_of(
        counter("otelcol_exporter_sent_spans", 1, start_ns=later),
        counter("otelcol_process_cpu_seconds", 1),
    )
    assert sample.started_at == START_NS / 1e9


def test_resident_memory_is_taken_from_a_gauge_of_whole_numbers() -> None:
    assert sample_of(gauge("otelcol_process_memory_rss", 123_456)).rss_bytes == 123_456


def test_a_queue_of_batches_is_turned_into_items() -> None:
    sample = sample_of(
        gauge("otelcol_exporter_queue_size", 4, unit="{batch}"),
        histogram("otelcol_processor_batch_batch_send_size", [10], [0, 2], "{unit}", total=1000),
    )
    assert sample.queue_items == 2000


def test_latency_in_seconds_lands_on_our_bounds_in_milliseconds() -> None:
    counts = [0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    sample = sample_of(histogram("http.client.request.duration", SECONDS, counts))
    assert sample.latency_counts is not None
    assert sample.latency_counts[LATENCY_BOUNDS_MS.index(75.0)] == 7
    assert sample.latency_counts[-1] == 1


def test_a_better_latency_replaces_a_lesser_one_in_any_order() -> None:
    best = histogram("http.client.request.duration", [0.1], [5, 0])
    lesser = histogram("otelcol_processor_batch_send_latency", [100.0], [9, 0], unit="ms")
    for metrics in ((best, lesser), (lesser, best)):
        sample = sample_of(*metrics)
        assert sample.latency_counts is not None
        assert sum(sample.latency_counts) == 5


def test_only_error_records_are_counted() -> None:
    metric = counter("otelcol_log_records", 5, level="error")
    metric.sum.data_points.extend(counter("x", 100, level="info").sum.data_points)
    assert sample_of(metric).error_logs == 5


def test_delta_points_are_passed_over_and_told() -> None:
    sent = counter("otelcol_exporter_sent_spans", 1, 2, delta=True)
    logs = counter("otelcol_log_records", 3, delta=True, level="error")
    sample, passed_over = read(export(sent, logs), 1000.0)
    assert sample.sent == [None, None, None]
    assert sample.error_logs is None
    assert passed_over == 3


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e300])
def test_values_that_cannot_be_are_passed_over_and_told(value: float) -> None:
    queue = Metric(name="otelcol_exporter_queue_size", unit="{batch}")
    queue.gauge.data_points.add(as_int=4)
    sample, passed_over = read(
        export(
            counter("otelcol_process_cpu_seconds", 1, value),
            counter("otelcol_exporter_sent_spans", value),
            counter("otelcol_log_records", value, level="error"),
            queue,
            histogram("otelcol_processor_batch_batch_send_size", [1], [0, 2], total=value),
        ),
        1000.0,
    )
    assert (sample.cpu_s, sample.sent[0], sample.error_logs) == (None, None, None)
    assert sample.queue_items == 4.0
    assert passed_over == 3


def test_an_agent_without_errors_has_counted_none() -> None:
    assert sample_of(counter("otelcol_log_records", 100, level="info")).error_logs == 0.0


def test_parts_of_one_export_complete_each_other() -> None:
    sample = sample_of(counter("otelcol_process_cpu_seconds", 1))
    sample.absorb(sample_of(counter("otelcol_exporter_sent_spans", 9)))
    assert sample.cpu_s == 1
    assert sample.sent[0] == 9


def test_fields_that_are_not_ours_are_skipped() -> None:
    unknown = b"\xfa\x3e\x03abc"
    raw = export(counter("otelcol_process_cpu_seconds", 1)).SerializeToString() + unknown
    sample, _ = read(ExportMetricsServiceRequest.FromString(raw), 1000.0)
    assert sample.cpu_s == 1
