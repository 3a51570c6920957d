from __future__ import annotations

import math
import random

import pytest

from rollouts.analysis import estimates


@pytest.mark.parametrize(
    ("confidence", "freedom", "value"),
    [
        (0.95, 1, 12.706),
        (0.95, 2, 4.303),
        (0.95, 4, 2.776),
        (0.95, 30, 2.042),
        (0.98, 3, 4.541),
        (0.999, 9, 4.781),
    ],
)
def test_t_quantiles_agree_with_the_tables(confidence: float, freedom: int, value: float) -> None:
    assert estimates.t_quantile(confidence, freedom) == pytest.approx(value, rel=0.01)


def test_a_mean_of_two_agents_has_no_interval() -> None:
    found = estimates.mean([1.0, 2.0], 10)
    assert (found.low, found.high) == (None, None)


def test_intervals_of_means_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = random.Random(1)
    covered = 0
    for _ in range(1000):
        found = estimates.mean([rng.gauss(5, 2) for _ in range(5)], 5)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 5 <= found.high
    assert 870 <= covered <= 930


def test_a_ratio_of_sums_weighs_agents_by_their_size() -> None:
    found = estimates.ratio_error([(1.0, 2.0), (9.0, 9.0), (10.0, 10.0)])
    assert found is not None
    assert found[0] == pytest.approx(21 / 20)


def test_a_ratio_without_a_base_is_unknown() -> None:
    assert estimates.ratio_error([(0.0, 1.0)]) is None


def test_the_error_of_a_ratio_of_few_agents_is_infinite() -> None:
    found = estimates.ratio_error([(1.0, 1.0), (1.0, 1.1)])
    assert found is not None
    assert math.isinf(found[1])


def test_one_agent_in_time_needs_enough_readings() -> None:
    assert estimates.blocked_error([1.0] * 7, [1.0] * 20) is None
    assert estimates.blocked_error([1.0, 1.2] * 8, [1.0, 1.2] * 8) is not None


def test_a_slope_is_found() -> None:
    assert estimates.slope([(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]) == pytest.approx(2.0)


@pytest.mark.parametrize("points", [[], [(0.0, 1.0), (1.0, 2.0)], [(1.0, 1.0)] * 3])
def test_no_slope_is_made_up(points: list[tuple[float, float]]) -> None:
    assert estimates.slope(points) is None


def test_a_quantile_lies_between_the_bounds_of_its_bucket() -> None:
    assert estimates.quantile([10.0, 20.0], [90, 10, 0], 0.95) == pytest.approx(15.0)


def test_what_is_above_the_last_bound_reads_as_that_bound() -> None:
    assert estimates.quantile([10.0, 20.0], [0, 0, 5], 0.95) == 20.0


def test_an_empty_histogram_has_no_quantile() -> None:
    assert estimates.quantile([10.0], [0, 0], 0.95) is None
