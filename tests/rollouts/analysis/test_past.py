from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollouts.analysis import past
from rollouts.analysis.backtest import Result, Would
from rollouts.analysis.past import back_test_last, back_test_one
from rollouts.models import EnvironmentGuard, Measurement, Phase, Rollback, Rollout
from rollouts.plans.parse import parse_thresholds
from tests.make.people import make_actor
from tests.make.times import NOW
from tests.make.watched import PLAN, make_bare_rollout, make_phase

pytestmark = pytest.mark.django_db

STRICT = parse_thresholds("thresholds: {failure_rate: {critical: 5%}}")


def record(phase: Phase, value: float, *, seconds_ago: float = 0, **fields: Any) -> None:
    known = {"gate": "threshold:failure_rate", "metric": "failure_rate", "source": "opamp"}
    Measurement.objects.create(
        rollout=phase.rollout,
        phase=phase,
        outcome="value",
        value=value,
        agents=20,
        samples=20,
        at=NOW - timedelta(seconds=seconds_ago),
        **{**known, **fields},
    )


def finished(state: str = "succeeded", value: float = 0.1) -> Rollout:
    """A rollout that is over, of one phase with ten readings of one value."""
    rollout = make_bare_rollout(state=state)
    phase = make_phase(rollout, state="passed", observed_s=60.0, finished_at=NOW)
    for n in range(10):
        record(phase, value, seconds_ago=n * 6.0)
    return rollout


def run(last: int = 20) -> list[Result]:
    return back_test_last(STRICT, make_actor("viewer"), last)


def test_the_newest_rollouts_that_are_over_are_replayed() -> None:
    first, second = finished(value=0.0), finished(value=0.1)
    finished(state="running")
    found = run()
    assert [one.rollout.number for one in found] == [second.number, first.number]
    assert [one.would for one in found] == [Would.ROLL_BACK, Would.GO_ON]


def test_no_more_rollouts_are_replayed_than_asked_for() -> None:
    finished()
    newest = finished()
    assert [one.rollout.number for one in run(last=1)] == [newest.number]


def test_what_happened_is_told_with_the_gate_that_decided() -> None:
    rollout = finished(state="rolled_back")
    Rollback.objects.create(
        rollout=rollout,
        kind=Rollback.Kind.AUTOMATIC,
        reason="r",
        cause={"gate": {"gate": "criterion:failure_rate"}},
        decided_at=NOW,
    )
    [result] = run()
    assert result.rollout.stopped_by == "criterion:failure_rate"
    assert result.sooner_s == 54.0


def test_one_rollout_is_replayed_even_while_it_runs() -> None:
    rollout = finished(state="running")
    found = back_test_one(STRICT, make_actor("viewer"), rollout.pk)
    assert found[0].would is Would.ROLL_BACK


def test_intervals_of_estimates_are_kept() -> None:
    rollout = make_bare_rollout(state="succeeded")
    phase = make_phase(rollout, state="passed", finished_at=NOW)
    Phase.objects.update(observed_s=60.0)
    record(phase, 0.06, inputs={"low": 0.01, "high": 0.2})
    assert run()[0].would is Would.HOLD  # noise neither rolls back nor advances


def test_readings_of_an_environment_guard_answer_a_plan_that_asks_the_same() -> None:
    plan = {key: value for key, value in PLAN.items() if key != "thresholds"}
    threshold = make_bare_rollout().plan["thresholds"][0]
    EnvironmentGuard.objects.create(
        environment="prod",
        name="strict",
        spec={"thresholds": [threshold]},
        reason="r",
        updated_by="ann",
        updated_at=NOW,
    )
    phase = make_phase(make_bare_rollout(plan, state="succeeded"), state="passed", finished_at=NOW)
    record(phase, 0.1, gate="threshold:failure_rate@strict")
    assert run()[0].would is Would.ROLL_BACK


def test_a_rollout_whose_readings_are_gone_is_unknown() -> None:
    make_phase(make_bare_rollout(state="succeeded"), state="passed", finished_at=NOW)
    assert run()[0].would is Would.UNKNOWN


def test_more_readings_than_are_read_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    finished()
    finished()
    monkeypatch.setattr(past, "MAX_ROWS", 10)
    assert [one.rollout.is_cut for one in run()] == [True, True]


def test_replaying_many_rollouts_costs_the_same_queries() -> None:
    actor = make_actor("viewer")

    def queries() -> int:
        with CaptureQueriesContext(connection) as taken:
            back_test_last(STRICT, actor, 20)
        return len(taken)

    finished()
    few = queries()
    for _ in range(5):
        finished()
    assert queries() == few <= 4
