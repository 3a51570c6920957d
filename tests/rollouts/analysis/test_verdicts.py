from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.analysis.readings import Outcome, Reading
from rollouts.analysis.specs import GateSpec
from rollouts.analysis.verdicts import ReadingFrame, judge, overall
from rollouts.engine.facts import GateFacts, GateKind, GuardAction, Level, Verdict

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
WINDOW = ReadingFrame(observed_since=NOW - timedelta(minutes=10), interval_s=10.0)
CRITERION = GateSpec(
    "criterion:failure_rate",
    GateKind.CRITERION,
    "failure_rate",
    "Failure rate",
    unit="fraction",
    operator="<",
    limit=0.05,
)
THRESHOLD = replace(
    CRITERION,
    gate="threshold:failure_rate",
    kind=GateKind.THRESHOLD,
    operator="above",
    limit=0.2,
    warning=0.05,
    action=GuardAction.ROLLBACK,
)
TRIGGER = GateSpec(
    "trigger:exports",
    GateKind.TRIGGER,
    "exports",
    "Exports",
    for_s=60.0,
    action=GuardAction.ROLLBACK,
)


def reading(seconds_ago: float, value: float | None = 0.0, **fields: object) -> Reading:
    known: dict[str, object] = {"agents": 20, "samples": 20, "source": "opamp"}
    outcome = Outcome.NO_DATA if value is None else Outcome.VALUE
    at = NOW - timedelta(seconds=seconds_ago)
    return Reading(outcome=outcome, value=value, at=at, **{**known, **fields})  # type: ignore[arg-type]


def judged(spec: GateSpec, readings: Sequence[Reading], window: ReadingFrame = WINDOW) -> GateFacts:
    return judge(spec, readings, window, NOW)


def condition(*answers: tuple[float, bool | None]) -> list[Reading]:
    return [
        reading(ago, None if answer is None else float(answer), breached=answer)
        for ago, answer in answers
    ]


def test_a_criterion_passes_on_enough_good_readings() -> None:
    gate = judged(CRITERION, [reading(20), reading(10), reading(0)])
    assert gate.verdict is Verdict.PASS
    assert gate.readings == 3


def test_a_criterion_without_readings_is_insufficient_and_says_since_when() -> None:
    gate = judged(CRITERION, [])
    assert gate.verdict is Verdict.INSUFFICIENT
    assert gate.no_data_since == WINDOW.observed_since


def test_a_first_reading_that_is_only_late_is_not_silence() -> None:
    window = replace(WINDOW, observed_since=NOW - timedelta(seconds=5))
    assert judged(CRITERION, [], window).no_data_since is None


def test_a_criterion_of_a_phase_not_yet_observed_is_insufficient() -> None:
    gate = judged(CRITERION, [reading(20), reading(10), reading(0)], ReadingFrame(None, 10.0))
    assert gate.verdict is Verdict.INSUFFICIENT
    assert gate.value == 0.0


def test_readings_from_before_the_observation_do_not_count() -> None:
    readings = [reading(700), reading(650), reading(620), reading(0)]
    gate = judged(CRITERION, readings)
    assert gate.verdict is Verdict.INSUFFICIENT
    assert gate.readings == 1


def test_too_few_agents_are_insufficient() -> None:
    window = replace(WINDOW, min_agents=30)
    gate = judged(CRITERION, [reading(20), reading(10), reading(0)], window)
    assert gate.verdict is Verdict.INSUFFICIENT


def test_data_that_stopped_is_insufficient_since_its_last_value() -> None:
    readings = [reading(120), reading(110), reading(100), reading(50, None), reading(0, None)]
    gate = judged(CRITERION, readings)
    assert gate.verdict is Verdict.INSUFFICIENT
    assert gate.no_data_since == NOW - timedelta(seconds=100)


def test_one_missed_reading_is_forgiven() -> None:
    gate = judged(CRITERION, [reading(40), reading(30), reading(20), reading(0, None)])
    assert gate.verdict is Verdict.PASS


def test_a_bad_newest_reading_fails() -> None:
    gate = judged(CRITERION, [reading(20), reading(10), reading(0, 0.5)])
    assert gate.verdict is Verdict.FAIL
    assert "it must be below 5 %" in str(gate.sentence)


def test_an_estimate_across_the_limit_is_inconclusive() -> None:
    readings = [reading(20), reading(10), reading(0, 0.04, low=0.01, high=0.07)]
    assert judged(CRITERION, readings).verdict is Verdict.INCONCLUSIVE


def test_an_estimate_wholly_beyond_the_limit_fails() -> None:
    readings = [reading(20), reading(10), reading(0, 0.09, low=0.06, high=0.12)]
    assert judged(CRITERION, readings).verdict is Verdict.FAIL


def test_consecutive_failures_are_asked_for_before_failing() -> None:
    spec = replace(CRITERION, consecutive=2)
    once = [reading(20), reading(10), reading(0, 0.5)]
    twice = [reading(20), reading(10, 0.5), reading(0, 0.5)]
    assert judged(spec, once).verdict is Verdict.INCONCLUSIVE
    assert judged(spec, twice).verdict is Verdict.FAIL


def test_a_failure_limit_counts_bad_readings_of_the_whole_window() -> None:
    spec = replace(CRITERION, failure_limit=1)
    readings = [reading(30, 0.5), reading(20, 0.5), reading(10), reading(0)]
    assert judged(spec, readings).verdict is Verdict.FAIL


def test_an_inconclusive_limit_counts_unclear_readings() -> None:
    spec = replace(CRITERION, inconclusive_limit=0)
    readings = [reading(20, 0.04, low=0.0, high=0.1), reading(10), reading(0)]
    assert judged(spec, readings).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("value", "level", "firing"),
    [(0.01, Level.NONE, False), (0.05, Level.WARNING, False), (0.2, Level.CRITICAL, True)],
)
def test_a_threshold_acts_by_the_level_its_newest_reading_reaches(
    value: float, level: Level, firing: bool
) -> None:
    gate = judged(THRESHOLD, [reading(10), reading(0, value)])
    assert (gate.level, gate.firing) == (level, firing)


def test_a_noisy_estimate_beyond_critical_only_warns() -> None:
    gate = judged(THRESHOLD, [reading(0, 0.25, low=0.02, high=0.48)])
    assert gate.level is Level.WARNING
    assert not gate.firing


def test_a_sure_estimate_beyond_critical_fires() -> None:
    gate = judged(THRESHOLD, [reading(0, 0.25, low=0.21, high=0.29)])
    assert gate.firing


def test_a_threshold_that_falls_breaches_below() -> None:
    spec = replace(THRESHOLD, operator="below", limit=0.95, warning=0.99)
    assert judged(spec, [reading(0, 0.90)]).level is Level.CRITICAL
    assert judged(spec, [reading(0, 0.97)]).level is Level.WARNING
    assert judged(spec, [reading(0, 1.0)]).level is Level.NONE


def test_a_silent_threshold_is_insufficient_and_calm() -> None:
    gate = judged(THRESHOLD, [reading(10, None), reading(0, None)])
    assert gate.verdict is Verdict.INSUFFICIENT
    assert gate.level is Level.NONE


def test_a_dry_run_threshold_never_fires() -> None:
    gate = judged(replace(THRESHOLD, dry_run=True), [reading(0, 0.5)])
    assert not gate.firing
    assert not gate.is_red
    assert gate.passes


def test_a_trigger_is_pending_until_it_held_for_its_time() -> None:
    gate = judged(TRIGGER, condition((30, False), (20, True), (10, True), (0, True)))
    assert not gate.firing
    assert gate.verdict is Verdict.INCONCLUSIVE
    assert gate.pending_since == NOW - timedelta(seconds=20)


def test_a_trigger_that_held_for_its_time_fires() -> None:
    answers = [(ago, True) for ago in range(60, -1, -10)]
    assert judged(TRIGGER, condition(*answers)).firing


def test_a_resolved_trigger_passes() -> None:
    answers = [*((ago, True) for ago in range(80, 0, -10)), (0, False)]
    gate = judged(TRIGGER, condition(*answers))
    assert gate.verdict is Verdict.PASS
    assert gate.pending_since is None


def test_an_unanswered_reading_does_not_reset_a_trigger() -> None:
    answers = [(60, True), (50, True), (40, None), (30, True), (20, True), (10, True), (0, True)]
    assert judged(TRIGGER, condition(*answers)).firing


def test_a_long_gap_starts_the_time_of_a_trigger_anew() -> None:
    answers = [(300, True), (290, True), (10, True), (0, True)]
    gate = judged(TRIGGER, condition(*answers))
    assert not gate.firing
    assert gate.pending_since == NOW - timedelta(seconds=10)


def test_a_silent_trigger_is_insufficient() -> None:
    assert judged(TRIGGER, condition((0, None))).verdict is Verdict.INSUFFICIENT


def test_verdicts_of_several_gates_follow_the_precedence() -> None:
    gate = judged(CRITERION, [])
    passing = replace(gate, verdict=Verdict.PASS)
    failing = replace(gate, verdict=Verdict.FAIL)
    unclear = replace(gate, verdict=Verdict.INCONCLUSIVE)
    assert overall([passing, gate]) is Verdict.INSUFFICIENT
    assert overall([passing, gate, unclear]) is Verdict.INCONCLUSIVE
    assert overall([passing, gate, unclear, failing]) is Verdict.FAIL


@given(
    outcomes=st.lists(st.sampled_from([None, 0.0, 0.5]), max_size=12),
    spec=st.sampled_from([CRITERION, THRESHOLD, TRIGGER]),
)
def test_no_gate_passes_without_a_fresh_value(outcomes: list[float | None], spec: GateSpec) -> None:
    readings = [
        reading(1000.0 - n, value, breached=bool(value)) for n, value in enumerate(outcomes)
    ]
    assert judged(spec, readings).verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("readings", "window", "said"),
    [
        ([reading(0)], WINDOW, "1 of 3 readings of its window are in"),
        (
            [reading(n, agents=1) for n in range(20, -1, -2)],
            replace(WINDOW, min_agents=2, min_samples=2),
            "1 of 2 agents that it takes are behind it",
        ),
        (
            [reading(20), reading(10), reading(0)],
            ReadingFrame(None, 10.0),
            "its window begins when the phase is sent",
        ),
    ],
)
def test_what_is_insufficient_names_what_is_missing(
    readings: list[Reading], window: ReadingFrame, said: str
) -> None:
    gate = judged(CRITERION, readings, window)
    assert gate.verdict is Verdict.INSUFFICIENT
    assert said in str(gate.sentence)
