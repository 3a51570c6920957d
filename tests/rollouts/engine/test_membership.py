"""Membership as pure functions: sizes, nesting, spread, what is left for the last wave."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.engine.membership import (
    Lineup,
    PhaseShare,
    assign,
    by_stratum,
    fingerprint,
    has_drifted,
    order_key,
    phase_size,
    rest_of,
    rounding,
    spread_order,
)

WEIGHTS = st.lists(st.integers(1, 100), min_size=1, max_size=6).map(
    lambda found: [w / 100 for w in sorted(set(found))]
)


@pytest.mark.parametrize(
    ("weight", "matched", "size"),
    [
        (0.1, 30, 3),
        (0.1, 31, 4),
        (0.01, 1, 1),
        (0.3, 10, 3),
        (0.7, 10, 7),
        (1.0, 7, 7),
        (0.1, 0, 0),
        (0.29, 100, 29),
    ],
)
def test_shares_are_rounded_up_without_binary_noise(weight: float, matched: int, size: int) -> None:
    assert phase_size(weight, matched) == size


@pytest.mark.parametrize(
    ("weight", "matched", "size", "said"),
    [
        (0.34, 3, 2, "34 % of 3 is 1.02, rounded to 2"),
        (
            0.99,
            10,
            9,
            "99 % of 10 is 9.9, rounded to 9, because a phase below 100 % leaves somebody",
        ),
        (0.5, 2, 1, ""),
        (0.01, 2, 1, "1 % of 2 is 0.02, rounded to 1"),
        (0.01, 1, 1, "1 % of 1 is 0.01, rounded to 1"),
        (1.0, 10, 10, ""),
    ],
)
def test_a_share_below_all_never_takes_all_and_says_its_rounding(
    weight: float, matched: int, size: int, said: str
) -> None:
    found = str(rounding(weight, matched) or "")
    assert (phase_size(weight, matched), found) == (size, said)


@given(weights=WEIGHTS, agents=st.integers(0, 300))
def test_phases_of_one_selector_nest_and_never_overlap(weights: list[float], agents: int) -> None:
    order = list(range(agents))
    phases = assign([PhaseShare(str(w), w) for w in weights], {"": Lineup(order, agents)})
    found = [agent for phase in phases for agent in phase.new]
    assert len(found) == len(set(found))
    assert all(a.reached <= b.reached for a, b in pairwise(phases))
    assert sum(len(phase.new) for phase in phases) == phases[-1].reached
    assert set(found) | set(rest_of(order, phases)) == set(order)


@given(
    weight=st.integers(1, 100),
    part=st.sets(st.integers(0, 99)),
)
def test_a_phase_selector_counts_its_own_agents(weight: int, part: set[int]) -> None:
    orders = {"": Lineup(range(100), 100), "env=canary": Lineup(sorted(part), len(part))}
    shares = [PhaseShare("canary", weight / 100, "env=canary"), PhaseShare("all", 1.0)]
    canary, everyone = assign(shares, orders)
    assert set(canary.new) <= part
    assert len(canary.new) == phase_size(weight / 100, len(part))
    assert set(canary.new) | set(everyone.new) == set(range(100))


@given(
    strata=st.lists(st.sampled_from(["eu", "us", "ap"]), min_size=1, max_size=60),
    share=st.integers(1, 100),
)
def test_every_prefix_holds_each_stratum_in_proportion(strata: list[str], share: int) -> None:
    order = spread_order(by_stratum(range(len(strata)), strata))
    assert sorted(order) == list(range(len(strata)))
    size = phase_size(share / 100, len(order))
    taken, sizes = Counter(strata[n] for n in order[:size]), Counter(strata)
    for stratum, count in sizes.items():
        assert abs(taken[stratum] - count * size / len(strata)) <= 1.5


def test_agents_of_a_stratum_stay_in_line_and_ties_too() -> None:
    alike = by_stratum([7, 5, 3, 1], ["us", "eu", "us", "eu"])
    assert spread_order(alike) == [7, 5, 3, 1]
    assert spread_order(by_stratum([9, 8, 7, 6], ["eu", "eu", "eu", "us"])) == [9, 8, 6, 7]


def test_the_order_depends_on_the_seed_and_on_nothing_else() -> None:
    uids = [f"018f-{n}" for n in range(50)]
    first = sorted(uids, key=lambda uid: order_key("a", uid))
    uids.reverse()
    assert first == sorted(uids, key=lambda uid: order_key("a", uid))
    assert first != sorted(uids, key=lambda uid: order_key("b", uid))


def test_a_fingerprint_names_exactly_one_membership() -> None:
    parts = ["hash", "plan"]
    assert fingerprint(parts, [[1, 2], [3]]) == fingerprint(parts, [[1, 2], [3]])
    assert fingerprint(parts, [[1, 2], [3]]) != fingerprint(parts, [[1], [2, 3]])
    assert fingerprint(parts, [[1, 2], [3]]) != fingerprint(["hash", "other"], [[1, 2], [3]])


@pytest.mark.parametrize(
    ("before", "difference", "drifted"),
    [(1000, 5, False), (1000, 6, True), (100, 1, False), (100, 2, True), (20, 0, False)],
)
def test_drift_is_more_than_one_percent_or_five_agents(
    before: int, difference: int, drifted: bool
) -> None:
    assert has_drifted(before, difference) is drifted


@given(weights=WEIGHTS, agents=st.integers(0, 300), away=st.integers(0, 100))
def test_only_a_last_phase_of_everybody_takes_the_away(
    weights: list[float], agents: int, away: int
) -> None:
    line = Lineup(range(agents + away), agents)
    *first, last = assign([PhaseShare(str(w), w) for w in weights], {"": line})
    for phase, weight in zip(first, weights, strict=False):
        assert phase.matched == agents
        assert phase.reached == phase_size(weight, agents)
        assert all(agent < agents for agent in phase.new)
    everyone = [agent for phase in (*first, last) for agent in phase.new]
    whole = weights[-1] == 1.0
    assert everyone == list(range(agents + away if whole else last.reached))
    left = set(rest_of(line.ids, [*first, last]))
    assert left == set(line.ids) - set(everyone)
