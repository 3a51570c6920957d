from __future__ import annotations

import random
from dataclasses import replace

import pytest

from rollouts.analysis.comparing import cpu_increase, memory_growth
from rollouts.analysis.estimates import Estimate
from rollouts.analysis.points import AgentSeries, Point, totals
from rollouts.plans.metrics import Compare
from tests.rollouts.analysis.lives import STEP_S, agent, agents, life

MORE_CPU = {"after": {"cpu": 0.24}}


def cpu(
    changed: list[AgentSeries],
    control: list[AgentSeries] | None = None,
    compare: Compare = Compare.BEFORE,
) -> Estimate:
    answer = cpu_increase(changed, control or [], compare)
    assert answer.estimate is not None, str(answer.note)
    return answer.estimate


def test_more_cpu_than_before_is_an_increase() -> None:
    found = cpu(agents(20, noise=0.1, **MORE_CPU))
    assert found.value == pytest.approx(0.2, abs=0.05)
    assert found.low is not None
    assert found.low > 0.1


def test_the_same_cpu_is_no_increase() -> None:
    found = cpu(agents(20, noise=0.1))
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 0 <= found.high


def test_few_agents_have_a_wide_interval() -> None:
    few, many = cpu(agents(4, noise=0.2)), cpu(agents(40, noise=0.2))
    assert few.high is not None
    assert few.low is not None
    assert many.high is not None
    assert many.low is not None
    assert few.high - few.low > 2 * (many.high - many.low)


def test_one_agent_is_judged_by_how_it_varies_in_time() -> None:
    found = cpu(agents(1, noise=0.1, **MORE_CPU))
    assert found.low is not None
    assert found.agents == 1


def test_one_agent_with_few_readings_is_not_compared() -> None:
    answer = cpu_increase(agents(1, minutes=5, **MORE_CPU), [], Compare.BEFORE)
    assert answer.estimate is None
    assert "too little" in str(answer.note)


def test_without_readings_from_before_there_is_no_answer() -> None:
    cohort = [replace(series, before=()) for series in agents(5)]
    answer = cpu_increase(cohort, [], Compare.BEFORE)
    assert answer.estimate is None
    assert "before" in str(answer.note)


def test_a_busy_hour_of_the_control_group_is_no_regression() -> None:
    busy = {"after": {"cpu": 0.3}}
    changed, control = agents(20, noise=0.05, **busy), agents(20, noise=0.05, **busy)
    assert cpu(changed).value == pytest.approx(0.5, abs=0.1)
    found = cpu(changed, control, Compare.CONTROL)
    assert found.value == pytest.approx(0.0, abs=0.05)


def test_controls_are_taken_from_the_same_stratum() -> None:
    busy = {"after": {"cpu": 0.4}}
    changed = agents(10, noise=0.02, stratum="eu", **busy)
    control = agents(10, noise=0.02, stratum="eu", **busy) + agents(30, noise=0.02, stratum="us")
    assert cpu(changed, control, Compare.CONTROL).value == pytest.approx(0.0, abs=0.05)


def test_a_stratum_whose_controls_stand_still_is_compared_with_all() -> None:
    still = agents(4, noise=0.02, stratum="eu", after={"cpu": 0.0})
    control = still + agents(12, noise=0.02, stratum="us")
    found = cpu(agents(5, noise=0.02, stratum="eu"), control, Compare.CONTROL)
    assert found.value > 0.2


def width(found: Estimate) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def test_few_controls_of_its_own_stratum_make_a_canary_less_sure() -> None:
    canary = agents(2, noise=0.2, stratum="eu")
    others = agents(18, noise=0.2)
    few_eu = [replace(s, stratum="eu" if n < 3 else "us") for n, s in enumerate(others)]
    many_eu = [replace(s, stratum="eu" if n < 15 else "us") for n, s in enumerate(others)]
    few, many = cpu(canary, few_eu, Compare.CONTROL), cpu(canary, many_eu, Compare.CONTROL)
    assert width(few) > 1.1 * width(many)


def test_intervals_of_a_canary_cover_a_true_effect_of_nothing() -> None:
    rng = random.Random(11)
    misses = 0
    for _ in range(150):
        fleet = [agent(rng.randrange(10**9), noise=0.3, minutes=4) for _ in range(13)]
        placed = [replace(s, stratum="abcd"[n % 4]) for n, s in enumerate(fleet)]
        found = cpu(placed[:1], placed[1:], Compare.CONTROL)
        assert found.low is not None
        assert found.high is not None
        misses += not found.low <= 0 <= found.high
    assert misses <= 22  # one in ten, and chance


def test_without_enough_controls_the_agents_own_past_counts_and_it_is_said() -> None:
    answer = cpu_increase(agents(5, noise=0.1), agents(1), Compare.CONTROL)
    assert answer.estimate is not None
    assert "too few" in str(answer.note)


def test_a_regression_of_one_stratum_is_found_among_good_ones() -> None:
    cohort = agents(10, noise=0.02, stratum="eu", after={"cpu": 0.4})
    cohort += agents(40, noise=0.02, stratum="us")
    assert cpu(cohort).value == pytest.approx(1.0, abs=0.1)


def test_a_restart_inside_the_window_is_not_a_drop() -> None:
    points = list(life(5, begins_s=0.0, started_s=1.0))
    later = list(life(5, begins_s=6 * STEP_S, started_s=350.0))
    found = totals(points + later)
    assert found.pairs == 10
    assert found.cpu_s == pytest.approx(10 * STEP_S * 0.2)


def test_a_counter_that_falls_without_a_new_start_is_a_restart_too() -> None:
    points = [Point(at=0.0, cpu_s=100.0), Point(at=60.0, cpu_s=3.0), Point(at=120.0, cpu_s=9.0)]
    assert totals(points).cpu_s == 6.0


def growth(changed: list[AgentSeries], compare: Compare = Compare.ABSOLUTE) -> Estimate:
    answer = memory_growth(changed, [], compare)
    assert answer.estimate is not None, str(answer.note)
    return answer.estimate


def test_a_leak_is_a_slope_in_bytes_per_minute() -> None:
    assert growth(agents(5, after={"leak": 2e6})).value == pytest.approx(2e6)


def test_growth_that_was_there_before_is_taken_off_when_asked() -> None:
    cohort = agents(5, before={"leak": 1e6}, after={"leak": 3e6})
    assert growth(cohort, Compare.BEFORE).value == pytest.approx(2e6)


def test_memory_of_a_life_before_the_last_restart_does_not_count() -> None:
    series = agent(after={"leak": 1e6})
    restarted = tuple(life(10, begins_s=series.after[-1].at + STEP_S, rss=5e7, started_s=20_000.0))
    assert growth([replace(series, after=series.after + restarted)]).value == pytest.approx(0.0)


def test_intervals_cover_a_true_effect_of_nothing() -> None:
    rng = random.Random(7)
    misses = 0
    for _ in range(60):
        cohort = [agent(rng.randrange(10**9), noise=0.3) for _ in range(8)]
        found = cpu(cohort)
        assert found.low is not None
        assert found.high is not None
        misses += not found.low <= 0 <= found.high
    assert misses <= 13  # one in ten, and chance
