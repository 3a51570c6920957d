from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connections

from accounts.models import User
from agents.models import AgentStatus
from rollouts.analysis.measure import (
    interval_of,
    load_gates,
    measure_all,
    take_measurements,
)
from rollouts.engine.facts import GateFacts, Level, Verdict
from rollouts.models import EnvironmentGuard, Measurement, Phase, Rollout, Waiver
from tests.make.times import NOW
from tests.make.watched import PLAN, make_bare_rollout, make_phase, make_target

pytestmark = pytest.mark.django_db

STEP = timedelta(seconds=6)


def read_for_a_minute(rollout: Rollout) -> None:
    for n in range(9, -1, -1):
        take_measurements(rollout.pk, NOW - n * STEP)


def gates(phase: Phase) -> dict[str, GateFacts]:
    return {gate.gate: gate for gate in load_gates(phase.rollout, phase, NOW)}


def test_a_calm_phase_passes_on_opamp_facts() -> None:
    phase = make_phase(make_bare_rollout(), counts={"members": 20, "offered": 20, "applied": 20})
    read_for_a_minute(phase.rollout)
    found = gates(phase)
    assert {gate.verdict for gate in found.values() if not gate.is_unseen} == {Verdict.PASS}
    assert all(gate.passes for gate in found.values())
    assert found["criterion:failure_rate"].readings == 10


def test_failures_reach_the_critical_level_and_fire() -> None:
    counts = {"members": 20, "offered": 20, "failed": 3, "timed_out": 1, "unhealthy": 1}
    phase = make_phase(make_bare_rollout(), counts=counts)
    take_measurements(phase.rollout_id, NOW)
    gate = gates(phase)["threshold:failure_rate"]
    assert gate.value == 0.25
    assert gate.firing


def test_the_warning_level_holds_without_firing() -> None:
    phase = make_phase(make_bare_rollout(), counts={"offered": 20, "failed": 2})
    take_measurements(phase.rollout_id, NOW)
    gate = gates(phase)["threshold:failure_rate"]
    assert gate.level is Level.WARNING
    assert not gate.firing


def test_a_guard_remembers_agents_of_earlier_phases() -> None:
    rollout = make_bare_rollout()
    make_phase(rollout, index=0, state="passed", counts={"offered": 10, "unhealthy": 10})
    phase = make_phase(rollout, index=1, counts={"offered": 10, "applied": 10})
    take_measurements(rollout.pk, NOW)
    found = gates(phase)
    assert found["threshold:failure_rate"].value == 0.5
    assert found["criterion:failure_rate"].value == 0.0


def test_a_metric_without_a_source_is_insufficient_and_says_why() -> None:
    criterion = {"metric": "queue", "operator": "<", "threshold": 0.9, "query": "max(q)"}
    plan = {**PLAN, "phases": [{**PLAN["phases"][0], "success_criteria": [criterion]}]}
    phase = make_phase(make_bare_rollout(plan), counts={"offered": 20, "applied": 20})
    read_for_a_minute(phase.rollout)
    gate = gates(phase)["criterion:queue"]
    assert gate.verdict is Verdict.INSUFFICIENT
    assert gate.no_data_since is not None
    assert "no source" in str(gate.sentence) or "PROMETHEUS_URL" in str(gate.sentence)


def test_nothing_offered_is_no_data_rather_than_no_failures() -> None:
    phase = make_phase(make_bare_rollout(), state="deploying", counts={"members": 20})
    take_measurements(phase.rollout_id, NOW)
    gate = gates(phase)["threshold:failure_rate"]
    assert gate.verdict is Verdict.INSUFFICIENT


@pytest.mark.parametrize(
    ("name", "state"),
    [("threshold:failure_rate", "deploying"), ("criterion:failure_rate", "observing")],
)
def test_nobody_who_has_not_answered_counts_as_well(name: str, state: str) -> None:
    """Nothing is 0 % while those who were asked are silent; one who refused counts at once."""
    waits = {"members": 20, "offered": 20, "outstanding": 19, "applied": 1}
    silent = make_phase(make_bare_rollout(), state=state, counts=waits)
    take_measurements(silent.rollout_id, NOW)
    gate = gates(silent)[name]
    assert (gate.value, gate.verdict) == (None, Verdict.INSUFFICIENT)
    assert "1 of 20 agents have answered" in str(gate.sentence)

    counts = {**waits, "outstanding": 18, "failed": 1}
    refused = make_phase(make_bare_rollout(), state=state, counts=counts)
    take_measurements(refused.rollout_id, NOW)
    assert gates(refused)[name].value == 0.05


def test_error_rate_counts_the_failures_of_the_last_minutes() -> None:
    plan = {**PLAN, "thresholds": {"error_rate": {"critical": "2 errors/min"}}}
    phase = make_phase(make_bare_rollout(plan), observed_s=1200, counts={"offered": 20})
    for minutes in (1, 2, 20):
        at = NOW - timedelta(minutes=minutes)
        make_target(phase, state="failed", confirmed_at=at)
    take_measurements(phase.rollout_id, NOW)
    gate = gates(phase)["threshold:error_rate"]
    assert gate.value == pytest.approx(2 / 5)


def test_readings_keep_the_pace_of_their_phase() -> None:
    phase = make_phase(make_bare_rollout(), counts={"offered": 1})
    assert take_measurements(phase.rollout_id, NOW)
    assert not take_measurements(phase.rollout_id, NOW + timedelta(seconds=3))
    assert take_measurements(phase.rollout_id, NOW + timedelta(seconds=6))


def test_gates_over_agents_reports_are_looked_at_between_readings_and_kept_once() -> None:
    phase = make_phase(make_bare_rollout(), counts={"offered": 20})
    take_measurements(phase.rollout_id, NOW)
    Phase.objects.update(counts={"offered": 20, "failed": 5})
    assert take_measurements(phase.rollout_id, NOW + timedelta(seconds=2))
    newest = Measurement.objects.filter(at=NOW + timedelta(seconds=2))
    found = dict(newest.values_list("gate", "value"))
    assert found == {"criterion:failure_rate": 0.25, "threshold:failure_rate": 0.25}
    gates = load_gates(phase.rollout, phase, NOW + timedelta(seconds=2))
    [breach] = [gate for gate in gates if gate.gate == "threshold:failure_rate"]
    assert breach.firing
    assert not take_measurements(phase.rollout_id, NOW + timedelta(seconds=4))


def test_a_guard_that_wants_several_readings_keeps_the_pace() -> None:
    thresholds = {"failure_rate": {"critical": "20%", "consecutive": 2}}
    bare = [{"name": "all", "weight": "100%", "duration": "60s"}]
    rollout = make_bare_rollout({**PLAN, "phases": bare, "thresholds": thresholds})
    phase = make_phase(rollout, counts={"offered": 20})
    take_measurements(rollout.pk, NOW)
    Phase.objects.update(counts={"offered": 20, "failed": 5})
    assert not take_measurements(rollout.pk, NOW + timedelta(seconds=2))
    assert take_measurements(phase.rollout_id, NOW + timedelta(seconds=6))


@pytest.mark.parametrize(("duration_s", "interval_s"), [(15, 2.0), (60, 6.0), (3600, 30.0)])
def test_the_pace_follows_the_length_of_the_phase(duration_s: float, interval_s: float) -> None:
    assert interval_of(duration_s) == interval_s


def test_finished_rollouts_are_not_read() -> None:
    phase = make_phase(make_bare_rollout(state="succeeded"), counts={"offered": 1})
    assert not take_measurements(phase.rollout_id, NOW)


def test_a_waiver_silences_its_gate_only() -> None:
    phase = make_phase(make_bare_rollout(), counts={"offered": 20, "failed": 10})
    take_measurements(phase.rollout_id, NOW)
    lin = User.objects.create(username="lin")
    Waiver.objects.create(phase=phase, gate="threshold:failure_rate", by=lin, reason="r", at=NOW)
    found = gates(phase)
    assert found["threshold:failure_rate"].passes
    assert found["threshold:failure_rate"].waived_by == "lin"
    assert not found["criterion:failure_rate"].passes


def test_a_guard_of_the_environment_applies_whatever_the_plan_says() -> None:
    plan = {key: value for key, value in PLAN.items() if key != "thresholds"}
    threshold = make_bare_rollout().plan["thresholds"][0]
    EnvironmentGuard.objects.create(
        environment="prod",
        name="strict",
        spec={"thresholds": [{**threshold, "critical": 0.01}]},
        reason="r",
        updated_by="ann",
        updated_at=NOW,
    )
    counts = {"offered": 20, "failed": 1}
    phase = make_phase(make_bare_rollout(plan), counts=counts, environments=["prod"])
    elsewhere = make_phase(make_bare_rollout(plan), counts=counts, environments=["dev"])
    take_measurements(phase.rollout_id, NOW)
    assert gates(phase)["threshold:failure_rate@strict"].firing
    assert not [name for name in gates(elsewhere) if "@strict" in name]


def test_a_guard_that_is_tried_out_is_shown_and_neither_acts_nor_holds() -> None:
    thresholds = {"failure_rate": {"critical": "20%", "dry_run": True}}
    phase = make_phase(
        make_bare_rollout({**PLAN, "thresholds": thresholds}), counts={"offered": 20, "failed": 10}
    )
    take_measurements(phase.rollout_id, NOW)
    gate = gates(phase)["threshold:failure_rate"]
    assert str(gate.sentence).startswith("Failure rate, dry run is 50 %, at or above ")
    assert (gate.firing, gate.passes) == (False, True)


def test_a_threshold_waits_for_as_many_bad_readings_as_the_plan_says() -> None:
    thresholds = {"failure_rate": {"critical": "20%", "consecutive": 2}}
    phase = make_phase(
        make_bare_rollout({**PLAN, "thresholds": thresholds}), counts={"offered": 20, "failed": 10}
    )
    take_measurements(phase.rollout_id, NOW - STEP)
    assert not gates(phase)["threshold:failure_rate"].firing
    take_measurements(phase.rollout_id, NOW)
    assert gates(phase)["threshold:failure_rate"].firing


def answer(phase: Phase, seconds_ago: float, breached: bool) -> None:
    """Store what a trigger's condition answered, as any worker would have."""
    Measurement.objects.create(
        rollout=phase.rollout,
        phase=phase,
        gate="trigger:exports",
        metric="exports",
        source="prometheus",
        outcome="value",
        value=float(breached),
        breached=breached,
        at=NOW - timedelta(seconds=seconds_ago),
    )


TRIGGERED = {
    **PLAN,
    "rollback": {"triggers": [{"name": "exports", "condition": "up", "for": "1m"}]},
}


def test_a_trigger_goes_from_pending_to_firing_to_resolved_by_what_is_stored() -> None:
    phase = make_phase(make_bare_rollout(TRIGGERED), counts={"offered": 1})
    seen = []
    for breached, until in ((True, 90), (True, 30), (False, 24)):
        newest = Measurement.objects.order_by("-at").first()
        begin = int((NOW - newest.at).total_seconds()) - 6 if newest else 96
        for ago in range(begin, until - 1, -6):
            answer(phase, ago, breached)
        found = load_gates(phase.rollout, phase, NOW - timedelta(seconds=until))
        gate = {one.gate: one for one in found}["trigger:exports"]
        seen.append((gate.verdict, gate.firing, gate.pending_since is not None))
    assert seen == [
        (Verdict.INCONCLUSIVE, False, True),
        (Verdict.FAIL, True, True),
        (Verdict.PASS, False, False),
    ]


def test_a_trigger_held_over_a_restart_of_all_workers_keeps_its_time() -> None:
    phase = make_phase(make_bare_rollout(TRIGGERED), counts={"offered": 1})
    for ago in (66, 60, 54, 42, 36, 30, 18, 12, 6, 0):  # two readings were missed meanwhile
        answer(phase, ago, True)
    assert gates(phase)["trigger:exports"].firing


def test_a_looser_threshold_of_the_plan_does_not_replace_an_environment_guard() -> None:
    threshold = make_bare_rollout().plan["thresholds"][0]
    EnvironmentGuard.objects.create(
        environment="",
        name="everywhere",
        spec={"thresholds": [{**threshold, "critical": 0.01}]},
        reason="r",
        updated_by="ann",
        updated_at=NOW,
    )
    phase = make_phase(make_bare_rollout(), counts={"offered": 20, "failed": 1})
    take_measurements(phase.rollout_id, NOW)
    found = gates(phase)
    assert not found["threshold:failure_rate"].firing
    assert found["threshold:failure_rate@everywhere"].firing


def test_a_waiver_of_one_phase_does_not_count_in_the_next() -> None:
    rollout = make_bare_rollout()
    first = make_phase(rollout, index=0, state="passed", counts={"offered": 1})
    lin = User.objects.create(username="lin")
    Waiver.objects.create(phase=first, gate="criterion:failure_rate", by=lin, reason="r", at=NOW)
    second = make_phase(rollout, index=1, counts={"offered": 20, "failed": 10})
    take_measurements(rollout.pk, NOW)
    assert gates(second)["criterion:failure_rate"].waived_by is None


def test_one_rollout_that_cannot_be_read_does_not_silence_the_others() -> None:
    broken = make_bare_rollout()
    make_phase(broken, counts={"offered": 1}, spec={"unreadable": True})
    phase = make_phase(make_bare_rollout(), counts={"offered": 1})
    measure_all(NOW)
    assert Measurement.objects.filter(rollout=phase.rollout).exists()


@pytest.mark.django_db(transaction=True)
def test_a_rollout_that_another_worker_reads_is_left_alone() -> None:
    phase = make_phase(make_bare_rollout(), counts={"offered": 1})
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [0x7467, phase.rollout_id])
        assert not take_measurements(phase.rollout_id, NOW)
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [0x7467, phase.rollout_id])
    other.close()
    assert take_measurements(phase.rollout_id, NOW)


def test_loading_gates_costs_the_same_for_many_readings(
    django_assert_max_num_queries: object,
) -> None:
    phase = make_phase(make_bare_rollout(), counts={"offered": 20})
    read_for_a_minute(phase.rollout)
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        load_gates(phase.rollout, phase, NOW)


def test_a_failure_rate_keeps_what_became_of_agents_that_do_not_change() -> None:
    phase = make_phase(make_bare_rollout(), counts={"members": 2, "offered": 2, "applied": 2})
    make_target(phase)
    for n in range(4):
        target = make_target(phase, state="waiting")
        AgentStatus.objects.create(
            agent=target.agent, connected=True, healthy=n > 0, health_changed_at=NOW
        )
    take_measurements(phase.rollout_id, NOW)
    kept = Measurement.objects.get(gate="criterion:failure_rate")
    assert kept.value == 0
    assert kept.inputs["control"] == {"value": 0.25, "low": None, "high": None, "agents": 4}


def test_who_was_unwell_before_the_phase_says_nothing_of_it() -> None:
    phase = make_phase(make_bare_rollout(), counts={"members": 2, "offered": 2, "applied": 2})
    target = make_target(phase, state="waiting")
    before = NOW - timedelta(hours=1)
    AgentStatus.objects.create(
        agent=target.agent, connected=True, healthy=False, health_changed_at=before
    )
    take_measurements(phase.rollout_id, NOW)
    kept = Measurement.objects.get(gate="criterion:failure_rate")
    assert kept.inputs["control"]["value"] == 0
