from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollouts.analysis.estimates import Estimate
from rollouts.analysis.flows import (
    data_continuity,
    error_count,
    error_rate,
    failure_rate,
    latency_p95,
)
from rollouts.analysis.points import AgentSeries
from rollouts.plans.metrics import Compare
from tests.rollouts.analysis.lives import agent, agents

BOUNDS = (1, 2.5, 5, 7.5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000)
DEAD_EXPORTER: dict[str, Any] = {"after": {"sent_share": 0.0}}


def value(answer: object) -> float:
    estimate = answer.estimate  # type: ignore[attr-defined]
    assert isinstance(estimate, Estimate), answer
    return estimate.value


def continuity(cohort: list[AgentSeries]) -> float:
    return value(data_continuity(cohort, [], Compare.BEFORE))


def test_data_that_goes_on_as_before_is_one() -> None:
    assert continuity(agents(5)) == pytest.approx(1.0)


def test_a_dead_exporter_ends_continuity() -> None:
    assert continuity(agents(5, **DEAD_EXPORTER)) == pytest.approx(0.0)


def test_what_was_dropped_on_purpose_before_is_no_loss() -> None:
    share = {"sent_share": 0.3}
    assert continuity(agents(5, before=share, after=share)) == pytest.approx(1.0)


def test_a_growing_queue_is_forgiven_only_a_little() -> None:
    series = agent(**DEAD_EXPORTER)
    filling = tuple(replace(point, queue_items=1000.0 * n) for n, point in enumerate(series.after))
    assert continuity([replace(series, after=filling)]) == pytest.approx(0.1)


def test_data_that_no_longer_arrives_is_a_loss() -> None:
    answer = data_continuity(agents(5, after={"per_min": 0.0}), [], Compare.BEFORE)
    assert value(answer) == 0.0
    assert "nothing arrives" in str(answer.note)


def test_without_data_there_is_no_continuity_to_tell() -> None:
    idle = {"per_min": 0.0}
    answer = data_continuity(agents(5, before=idle, after=idle), [], Compare.BEFORE)
    assert answer.estimate is None


def test_the_signal_that_fares_worst_decides() -> None:
    series = agent()
    after = tuple(
        replace(p, received=(*p.received[:2], 100.0 * n), sent=(*p.sent[:2], 10.0 * n))
        for n, p in enumerate(series.after)
    )
    answer = data_continuity([replace(series, after=after)], [], Compare.BEFORE)
    assert value(answer) == pytest.approx(0.1)
    assert "log records" in str(answer.note)


def test_export_failures_are_a_share_of_exports() -> None:
    cohort = agents(4, after={"sent_share": 0.9, "failed_share": 0.1})
    assert value(failure_rate(cohort, [], Compare.ABSOLUTE)) == pytest.approx(0.1)


def test_failures_from_before_are_taken_off_when_asked() -> None:
    old = {"sent_share": 0.95, "failed_share": 0.05}
    cohort = agents(4, before=old, after={"sent_share": 0.9, "failed_share": 0.1})
    assert value(failure_rate(cohort, [], Compare.BEFORE)) == pytest.approx(0.05)


def test_without_exports_there_is_no_failure_rate() -> None:
    answer = failure_rate(agents(4, after={"per_min": 0.0}), [], Compare.ABSOLUTE)
    assert answer.estimate is None


def test_errors_are_counted_over_all_agents() -> None:
    cohort = agents(3, after={"errors_per_min": 2.0})
    assert value(error_count(cohort, [], Compare.ABSOLUTE)) == pytest.approx(3 * 15 * 2.0)
    assert value(error_rate(cohort, [], Compare.ABSOLUTE)) == pytest.approx(6.0)


def test_latency_is_read_from_the_histogram_after_the_change() -> None:
    cohort = agents(3, before={"latency_ms": 20.0}, after={"latency_ms": 200.0})
    assert value(latency_p95(cohort, [], Compare.ABSOLUTE, BOUNDS)) == pytest.approx(242.5)
    assert value(latency_p95(cohort, [], Compare.BEFORE, BOUNDS)) == pytest.approx(218.25)


def test_without_a_histogram_there_is_no_latency() -> None:
    answer = latency_p95(agents(3), [], Compare.ABSOLUTE, BOUNDS)
    assert answer.estimate is None
    assert "detailed" in str(answer.note)
