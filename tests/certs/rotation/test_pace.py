"""First wave, limits, pause (SEC-18; security.md R28)."""

from __future__ import annotations

import heapq
import random

import pytest

from certs.rotation.decide import retry_after
from certs.rotation.facts import RotationRules
from certs.rotation.pace import OfferRoom, PaceFacts, issuances_in, pace

RULES = RotationRules()


def found(
    due: int = 1000, in_flight: int = 0, good: int = 0, bad: int = 0, *, paused: bool = False
) -> OfferRoom:
    outcomes = [False] * bad + [True] * good
    return pace(PaceFacts(due, in_flight, outcomes, paused), RULES)


def test_renewals_begin_with_a_hundredth() -> None:
    assert found(due=1000).renewals == 10
    assert found(due=3).renewals == 1


def test_the_first_wave_is_not_followed_before_it_is_proven() -> None:
    assert found(due=1000, in_flight=10).renewals == 0
    assert found(due=1000, in_flight=1, good=9).renewals == 9
    assert found(due=1000, good=10).renewals == 50


def test_no_more_are_in_flight_than_the_limit() -> None:
    assert found(due=100, in_flight=48, good=100).renewals == 2
    assert found(due=100, in_flight=60, good=100) == OfferRoom(0, 0, False, False)


def test_what_agents_ask_for_needs_no_wave() -> None:
    assert found(due=0).requests == 50
    assert found(due=1000, in_flight=10).requests == 40


@pytest.mark.parametrize(("good", "bad", "pauses"), [(95, 5, False), (94, 6, True), (0, 1, False), (1, 2, True)])  # fmt: skip
def test_sec_18_more_than_a_twentieth_of_failures_pauses(good: int, bad: int, pauses: bool) -> None:
    now = found(good=good, bad=bad)
    assert now.must_pause is pauses
    assert not pauses or now.renewals == 0


def test_a_pause_holds_renewals_and_not_what_is_asked_for() -> None:
    now = found(good=100, paused=True)
    assert (now.renewals, now.requests, now.must_pause) == (0, 50, False)


def test_the_rate_is_for_the_time_between_two_turns() -> None:
    assert issuances_in(1.0, RULES) == 5
    assert issuances_in(2.0, RULES) == 10
    assert issuances_in(0.1, RULES) == 1


@pytest.mark.parametrize("seed", range(3))
def test_sec_18_ten_per_cent_of_flaky_agents_still_come_through(seed: int) -> None:
    """Each agent in ten fails its attempt every third time, with the retry ladder and a person who
    resumes after an hour. Days left when it is done: a renewal has five of its seven left."""
    chance = random.Random(seed)
    line = [(chance.uniform(0, 42 * 3600), 1, agent) for agent in range(2000)]
    heapq.heapify(line)
    installed, paused_until = 0, -1.0
    outcomes: list[bool] = []
    now = 0.0
    while line and now < 7 * 86_400:
        due = sum(at <= now for at, _, _ in line[:200])
        room = pace(PaceFacts(due, 0, list(reversed(outcomes[-100:])), now < paused_until), RULES)
        if room.must_pause:
            paused_until, outcomes = now + 3600, []
        for _ in range(room.renewals):
            if not line or line[0][0] > now:
                break
            _, attempt, agent = heapq.heappop(line)
            is_flaky = agent % 10 == 0
            good = not (is_flaky and chance.random() < 1 / 3)
            outcomes.append(good)
            installed += good
            if not good:
                heapq.heappush(
                    line, (now + retry_after(attempt).total_seconds(), attempt + 1, agent)
                )
        now += 60.0
    assert installed / 2000 > 0.99
