from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agents.models import Series
from rollouts.analysis.cohort import PAST_S
from rollouts.analysis.measure import load_gates, take_measurements
from rollouts.analysis.points import Point, totals
from rollouts.analysis.scene import Scene
from rollouts.analysis.sources import own_metrics
from rollouts.analysis.sources.own_metrics import load_series
from rollouts.engine.facts import GateFacts, Verdict
from rollouts.models import Phase, Target
from tests.make.times import NOW
from tests.make.watched import PLAN, make_bare_rollout, make_phase, make_target
from tests.rollouts.analysis.lives import life

pytestmark = pytest.mark.django_db

MINUTES = 15
CPU_PLAN = {
    **PLAN,
    "phases": [
        {
            **PLAN["phases"][0],
            "duration": "15m",
            "success_criteria": [{"metric": "cpu_increase", "operator": "<", "threshold": 0.1}],
        }
    ],
    "thresholds": {"cpu_increase": {"critical": "50%"}},
}


def store(target: Target, begins_at: Any, minutes: int, **words: Any) -> None:
    """Write a life as a gateway does."""
    for point in life(minutes, begins_s=begins_at.timestamp(), **words):
        at = begins_at + timedelta(seconds=point.at - begins_at.timestamp())
        Series.objects.create(
            agent_id=target.agent_id,
            at=at,
            measured_at=at,
            started_at=begins_at,
            cpu_s=point.cpu_s,
            error_logs=point.error_logs,
            received=list(point.received),
            sent=list(point.sent),
        )


def reporting_agents(
    phase: Phase, count: int, before: dict[str, float], after: dict[str, float] | None
) -> None:
    changed_at = NOW - timedelta(minutes=MINUTES, seconds=5)
    for _ in range(count):
        target = make_target(phase, confirmed_at=changed_at)
        store(target, changed_at - timedelta(minutes=MINUTES + 1), MINUTES, **before)
        if after is not None:
            store(target, changed_at, MINUTES, **after)


def observed(plan: dict[str, Any] = CPU_PLAN) -> Phase:
    return make_phase(make_bare_rollout(plan), observed_s=MINUTES * 60.0, counts={"offered": 4})


def gate(phase: Phase, name: str = "criterion:cpu_increase") -> GateFacts:
    for seconds in (80, 40, 0):
        take_measurements(phase.rollout_id, NOW - timedelta(seconds=seconds))
    return {g.gate: g for g in load_gates(phase.rollout, phase, NOW)}[name]


def test_cpu_is_compared_with_the_same_agents_before() -> None:
    phase = observed()
    reporting_agents(phase, 4, {"cpu": 0.2}, {"cpu": 0.26})
    found = gate(phase)
    assert found.value == pytest.approx(0.3)
    assert found.verdict is Verdict.FAIL
    assert found.source == "own_metrics"
    assert found.agents == 4


def test_the_same_cpu_as_before_passes() -> None:
    phase = observed()
    reporting_agents(phase, 4, {"cpu": 0.2}, {"cpu": 0.2})
    assert gate(phase).verdict is Verdict.PASS


def test_an_agent_is_compared_with_an_hour_of_its_past() -> None:
    phase = observed()
    assert phase.started_at is not None
    target = make_target(phase, confirmed_at=phase.deployed_at)
    store(target, phase.started_at - timedelta(minutes=90), 90)
    scene = Scene(phase.rollout, phase, [phase], NOW)
    (series,) = load_series(scene, scene.changed)
    reach_s = phase.started_at.timestamp() - series.before[0].at
    assert reach_s == PAST_S


def test_what_flows_is_counted_over_every_life_of_an_agent() -> None:
    phase = observed()
    changed_at = NOW - timedelta(minutes=MINUTES, seconds=5)
    target = make_target(phase, confirmed_at=changed_at)
    store(target, changed_at - timedelta(minutes=10), 9)
    store(target, changed_at, 7)
    store(target, changed_at + timedelta(minutes=8), 6)
    scene = Scene(phase.rollout, phase, [phase], NOW)
    (series,) = load_series(scene, scene.changed)
    rows = Series.objects.filter(agent=target.agent, at__gte=NOW - timedelta(minutes=MINUTES))
    whole = [
        Point(
            row.measured_at.timestamp(),
            row.started_at.timestamp() if row.started_at else None,
            cpu_s=row.cpu_s,
            received=row.received or (),
            sent=row.sent or (),
        )
        for row in rows.order_by("at")
        if row.measured_at.timestamp() >= series.after_s
    ]
    expected = totals(whole)
    assert expected.received[0]
    assert series.after_totals.received == expected.received
    assert series.after_totals.sent == expected.sent
    assert series.after_totals.cpu_s == expected.cpu_s


def test_the_warm_up_is_left_out_and_said() -> None:
    phase = observed()
    reporting_agents(phase, 4, {"cpu": 0.2}, {"cpu": 0.2})
    assert "left out" in str(gate(phase).note)


def test_agents_that_send_nothing_are_insufficient() -> None:
    phase = observed()
    make_target(phase, confirmed_at=NOW - timedelta(minutes=10))
    found = gate(phase)
    assert found.verdict is Verdict.INSUFFICIENT
    assert "no own metrics" in str(found.sentence)


def test_agents_that_fell_silent_with_the_change_are_not_left_out_quietly() -> None:
    phase = observed()
    reporting_agents(phase, 2, {"cpu": 0.2}, {"cpu": 0.2})
    reporting_agents(phase, 2, {"cpu": 0.2}, None)
    found = gate(phase)
    assert found.verdict is Verdict.INSUFFICIENT
    assert "2 of 4 agents" in str(found.sentence)


def test_old_own_metrics_are_stale() -> None:
    phase = observed()
    reporting_agents(phase, 4, {"cpu": 0.2}, {"cpu": 0.2})
    Series.objects.filter(at__gt=NOW - timedelta(minutes=5)).delete()
    found = gate(phase)
    assert found.verdict is Verdict.INSUFFICIENT
    assert "s old" in str(found.sentence)


def test_export_failures_add_to_what_agents_report_and_never_hide_it() -> None:
    phase = make_phase(
        make_bare_rollout(), observed_s=900.0, counts={"offered": 4, "applied": 1, "failed": 3}
    )
    reporting_agents(phase, 4, {}, {})
    take_measurements(phase.rollout_id, NOW)
    found = {g.gate: g for g in load_gates(phase.rollout, phase, NOW)}["threshold:failure_rate"]
    assert found.value == 0.75
    assert found.source == "opamp"


def test_reading_costs_the_same_queries_for_many_agents(django_assert_max_num_queries: Any) -> None:
    phase = observed()
    reporting_agents(phase, 8, {"cpu": 0.2}, {"cpu": 0.2})
    with django_assert_max_num_queries(14):
        take_measurements(phase.rollout_id, NOW)


def test_a_number_without_end_is_an_error_and_the_others_are_read() -> None:
    phase = observed(CPU_PLAN)
    reporting_agents(phase, 4, {"cpu": 0.2}, {"cpu": 0.2})
    Series.objects.filter(at__gt=NOW - timedelta(minutes=10)).update(cpu_s=float("inf"))
    found = gate(phase)
    assert found.verdict is Verdict.INSUFFICIENT
    assert "no finite number" in str(found.sentence)


CONTROL_PLAN = {
    **CPU_PLAN,
    "phases": [
        {
            **CPU_PLAN["phases"][0],
            "success_criteria": [
                {
                    "metric": "cpu_increase",
                    "operator": "<",
                    "threshold": 0.1,
                    "compare": "control",
                }
            ],
        }
    ],
}


def test_agents_of_an_earlier_phase_are_a_control_when_all_others_have_changed() -> None:
    rollout = make_bare_rollout(CONTROL_PLAN)
    early = make_phase(rollout, index=0, state="passed", observed_s=3600.0)
    phase = make_phase(rollout, index=1, observed_s=MINUTES * 60.0, counts={"offered": 4})
    reporting_agents(phase, 4, {"cpu": 0.2}, {"cpu": 0.3})
    begins_at = NOW - timedelta(minutes=2 * MINUTES)
    for _ in range(4):
        target = make_target(early, confirmed_at=NOW - timedelta(hours=1))
        points = {"cpu": 0.2}
        store(target, begins_at, MINUTES - 1, **points)
        busier = {"cpu": 0.3}
        store(target, begins_at + timedelta(minutes=MINUTES), MINUTES, **busier)
    found = gate(phase)
    assert found.value == pytest.approx(0.0, abs=0.01)
    assert "4 agents that do not change now" in str(found.note)


def test_errors_of_some_agents_are_taken_for_all_of_a_large_phase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = {**CPU_PLAN, "thresholds": {"error_rate": {"critical": "50 errors/min"}}}
    phase = observed(plan)
    reporting_agents(phase, 4, {}, {"errors_per_min": 3.0})
    monkeypatch.setattr(own_metrics, "MOST_AGENTS", 2)
    found = gate(phase, "threshold:error_rate")
    assert found.value == pytest.approx(12.0)
    assert "counted on 2 of 4 agents" in str(found.note)
