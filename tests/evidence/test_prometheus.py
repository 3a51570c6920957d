"""Gates and triggers on a real Prometheus, through the real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rollouts.analysis.measure import load_gates
from rollouts.engine.facts import GateFacts, Verdict
from rollouts.models import Event, Measurement, Phase, Rollout
from tests.evidence.collectors import GOOD, Behaviour, write
from tests.evidence.prometheus import History, Prometheus
from tests.rollouts.fleet import Fleet, state_of

pytestmark = [pytest.mark.real, pytest.mark.django_db]

Serve = Callable[..., None]
STEP_S = 15.0  # the most that one look of the engine counts as watched
TRIGGERS = {
    "export_failures": "rate(otelcol_exporter_send_failed_spans_total[2m]) > 0.001",
    "cpu_against_its_past": (
        "sum by (service_instance_id) (rate(otelcol_process_cpu_seconds_total[2m])) > 1.2 * "
        "sum by (service_instance_id) (rate(otelcol_process_cpu_seconds_total[10m] offset 15m))"
    ),
    "memory_slope": "60 * deriv(otelcol_process_memory_rss_bytes[3m]) > 1e6",
    "error_rate": 'sum(rate(otelcol_log_records_total{level="error"}[2m])) * 60 > 10',
}
BAD = {
    "export_failures": replace(GOOD, send_failed=5.0),
    "cpu_against_its_past": replace(GOOD, cpu=0.3),
    "memory_slope": replace(GOOD, leak=5e6),
    "error_rate": replace(GOOD, errors=10.0),
}


@pytest.fixture
def serve(tmp_path: Path, settings: Any) -> Iterator[Serve]:
    """Start a Prometheus that knows the fleet, and point the product at it."""
    server = Prometheus(tmp_path)

    def start(fleet: Fleet, after: Behaviour, **more: Any) -> None:
        history = History()
        change_at = fleet.now + timedelta(seconds=2 * STEP_S)
        write(history, fleet.agents, change_at=change_at, after=after, **more)
        server.start(history)
        settings.PROMETHEUS_URL = server.url

    yield start
    server.stop()


def plan(**more: Any) -> dict[str, Any]:
    return {
        "name": "watched",
        "phases": [
            {
                "name": "all",
                "weight": "100%",
                "duration": "6m",
                "success_criteria": more.pop("criteria", []),
            }
        ],
        "bake": "10s",
        **more,
    }


def triggered(*names: str, for_s: str = "2m", action: str = "rollback") -> dict[str, Any]:
    triggers = [
        {"name": name, "condition": TRIGGERS[name], "for": for_s, "action": action}
        for name in names
    ]
    return plan(rollback={"triggers": triggers})


def gate(rollout: Rollout, fleet: Fleet, name: str) -> GateFacts:
    phase = Phase.objects.get(rollout=rollout, index=0)
    return {g.gate: g for g in load_gates(rollout, phase, fleet.now)}[name]


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_trigger_that_held_for_its_time_rolls_back(name: str, serve: Serve) -> None:
    fleet = Fleet(6)
    serve(fleet, BAD[name])
    rollout = fleet.start(triggered(name))
    fleet.run(330, step=STEP_S)
    assert state_of(rollout) == "rolled_back"
    assert fleet.running() == {fleet.v1.config_hash: 6}
    event = Event.objects.get(rollout=rollout, act="roll_back")
    assert str(event.reason).startswith(name.replace("_", " ").capitalize())
    true = Measurement.objects.filter(gate=f"trigger:{name}", breached=True).order_by("at")
    first = true.first()
    assert first is not None
    assert event.at - first.at >= timedelta(minutes=2)


def test_good_collectors_fire_no_trigger(serve: Serve) -> None:
    fleet = Fleet(6)
    serve(fleet, GOOD)
    rollout = fleet.start(triggered(*TRIGGERS))
    fleet.run(500, step=STEP_S)
    assert state_of(rollout) == "succeeded"
    assert not Measurement.objects.filter(breached=True).exists()


def test_a_trigger_waits_its_time_and_holds_the_phase_meanwhile(serve: Serve) -> None:
    fleet = Fleet(6)
    serve(fleet, BAD["export_failures"])
    rollout = fleet.start(triggered("export_failures", for_s="5m"))
    fleet.run(330, step=STEP_S)
    found = gate(rollout, fleet, "trigger:export_failures")
    assert state_of(rollout) == "running"
    assert found.pending_since is not None
    assert not found.passes


def test_a_notice_is_noted_and_goes_on(serve: Serve) -> None:
    fleet = Fleet(6)
    serve(fleet, BAD["export_failures"])
    rollout = fleet.start(triggered("export_failures", action="notify"))
    fleet.run(500, step=STEP_S)
    assert state_of(rollout) == "succeeded"


def test_agents_that_the_rollout_has_not_touched_do_not_count(serve: Serve) -> None:
    fleet = Fleet(6)
    serve(fleet, GOOD)
    calm = plan(
        rollback={
            "triggers": [
                {
                    "name": "elsewhere",
                    "condition": 'label_replace(vector(1), "service_instance_id", "somebody", "", "")',
                    "for": "1m",
                    "action": "rollback",
                }
            ]
        }
    )
    rollout = fleet.start(calm)
    fleet.run(240, step=STEP_S)
    assert gate(rollout, fleet, "trigger:elsewhere").verdict is Verdict.PASS


def test_an_empty_answer_about_unknown_metrics_is_not_calm(serve: Serve) -> None:
    fleet = Fleet(2)
    serve(fleet, GOOD)
    condition = {"name": "typo", "condition": "rate(no_such_metric[5m]) > 1", "for": "1m"}
    rollout = fleet.start(plan(rollback={"triggers": [condition]}))
    fleet.run(240, step=STEP_S)
    found = gate(rollout, fleet, "trigger:typo")
    assert found.verdict is Verdict.INSUFFICIENT
    assert "no metric no_such_metric" in str(found.note)


def test_the_other_spelling_of_a_counter_is_asked_and_said(serve: Serve) -> None:
    fleet = Fleet(2)
    serve(fleet, GOOD)
    condition = {
        "name": "spelling",
        "condition": "rate(otelcol_exporter_sent_spans[5m]) > 1e9",
        "for": "1m",
    }
    rollout = fleet.start(plan(rollback={"triggers": [condition]}))
    fleet.run(240, step=STEP_S)
    found = gate(rollout, fleet, "trigger:spelling")
    assert found.verdict is Verdict.PASS
    assert "otelcol_exporter_sent_spans_total for otelcol_exporter_sent_spans" in str(found.note)


def criterion(metric: str, operator: str, threshold: str, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "operator": operator, "threshold": threshold, **more}


CRITERIA = {
    "cpu_increase": criterion("cpu_increase", "<", "10%"),
    "memory_growth": criterion("memory_growth", "<", "1MB/min"),
    "latency_p95": criterion("latency_p95", "<", "100ms"),
    "failure_rate": criterion("failure_rate", "<", "1%"),
    "data_continuity": criterion("data_continuity", ">", "99%"),
    "error_rate": criterion("error_rate", "<", "10 errors/min"),
    "error_count": criterion("error_count", "<", "10"),
}
WORSE = {
    "cpu_increase": BAD["cpu_against_its_past"],
    "memory_growth": BAD["memory_slope"],
    "latency_p95": replace(GOOD, latency_s=0.4),
    "failure_rate": BAD["export_failures"],
    "data_continuity": replace(GOOD, sent=0.0),
    "error_rate": BAD["error_rate"],
    "error_count": BAD["error_rate"],
}


@pytest.mark.parametrize("metric", CRITERIA)
def test_a_worse_metric_fails_its_criterion(metric: str, serve: Serve) -> None:
    fleet = Fleet(6)
    serve(fleet, WORSE[metric])
    off = {"enabled": False, "reason": "the criterion is tested, not the guard"}
    guards = {"failures": off, "data_continuity": off}
    rollout = fleet.start(plan(criteria=[CRITERIA[metric]], guards=guards))
    fleet.run(330, step=STEP_S)
    found = gate(rollout, fleet, f"criterion:{metric}")
    assert found.verdict is Verdict.FAIL, found
    assert found.source == "prometheus"
    fleet.run(120, step=STEP_S)
    assert state_of(rollout) == "rolled_back"


def test_good_metrics_pass_their_criteria(serve: Serve) -> None:
    fleet = Fleet(6)
    serve(fleet, GOOD)
    names = ("cpu_increase", "memory_growth", "latency_p95", "failure_rate", "data_continuity")
    rollout = fleet.start(plan(criteria=[CRITERIA[name] for name in names]))
    fleet.run(500, step=STEP_S)
    assert state_of(rollout) == "succeeded"


def test_samples_that_stopped_hold_the_phase(serve: Serve) -> None:
    fleet = Fleet(6)
    serve(fleet, GOOD, silent_after_s=100.0)
    rollout = fleet.start(plan(criteria=[CRITERIA["cpu_increase"]]))
    fleet.run(500, step=STEP_S)
    assert state_of(rollout) == "running"
    found = gate(rollout, fleet, "criterion:cpu_increase")
    assert found.verdict is Verdict.INSUFFICIENT


def test_a_metric_of_the_users_own_is_read_per_agent(serve: Serve) -> None:
    fleet = Fleet(6)
    serve(fleet, replace(GOOD, sent=50.0))
    query = "rate(otelcol_exporter_sent_spans_total[2m])"
    rollout = fleet.start(plan(criteria=[criterion("throughput", ">", "80", query=query)]))
    fleet.run(330, step=STEP_S)
    found = gate(rollout, fleet, "criterion:throughput")
    assert found.value == pytest.approx(50.0, rel=0.01)
    assert found.verdict is Verdict.FAIL
    assert found.agents == 6


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (replace(GOOD, sent=0.0), "Data continuity"),
        (replace(GOOD, sent=50.0, send_failed=50.0), "Export failures"),
    ],
)
def test_a_dead_exporter_brings_back_a_plan_that_names_nothing(
    after: Behaviour, words: str, serve: Serve
) -> None:
    fleet = Fleet(6)
    serve(fleet, after)
    rollout = fleet.start(plan())
    fleet.run(330, step=STEP_S)
    assert state_of(rollout) == "rolled_back"
    assert str(Event.objects.get(rollout=rollout, act="roll_back").reason).startswith(words)
