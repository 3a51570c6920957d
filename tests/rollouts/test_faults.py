"""A worker that dies between any two statements of a tick changes nothing about the outcome.

Seeded: the process is "killed" before a statement drawn at random, again and again, while 200 agents
get a version, or come back from one. Nothing is caught, as with kill -9; only rows are left.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from agents.models import ConfigStatus, Delivery
from rollouts.models import Event, Rollout, Target
from tests.rollouts.fleet import Fleet, state_of

pytestmark = pytest.mark.django_db(transaction=True)

AGENTS = 200
PLAN: dict[str, Any] = {
    "name": "three",
    "phases": [
        {"name": name, "weight": weight, "duration": "4s",
         "success_criteria": [{"metric": "failure_rate", "operator": "<", "threshold": "5%"}]}
        for name, weight in (("few", "5%"), ("some", "30%"), ("all", "100%"))
    ],
    "min_samples": 2,
    "max_in_flight": 50,
    "bake": "2s",
}  # fmt: skip


class Killed(BaseException):
    """What no handler catches."""


@contextmanager
def dying_before(statement: int) -> Iterator[None]:
    """Die before the given statement of the block, counted from 1."""
    left = statement

    def wrapper(execute: Any, *args: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        return execute(*args)

    with connection.execute_wrapper(wrapper):
        yield


def run_with_kills(fleet: Fleet, rollout: Rollout, kills: int, seed: int) -> int:
    """Run to the end, dying up to `kills` times. Returns how often it really died."""
    dice, died = random.Random(seed), 0
    for _ in range(200):
        if state_of(rollout) in {"succeeded", "rolled_back", "rollback_incomplete"}:
            break
        fleet.now += timedelta(seconds=1)
        fleet.speak()
        if died < kills:
            try:
                with dying_before(dice.randint(1, 40)):
                    fleet.tick()
            except Killed:
                died += 1
                continue  # nobody starts another worker before the next second
        fleet.tick()
    return died


def moves(rollout: Rollout) -> Counter[tuple[str, str]]:
    events = Event.objects.filter(rollout=rollout).exclude(state_to="")
    return Counter(events.values_list("phase", "act"))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_good_version_reaches_everyone_exactly_once(seed: int) -> None:
    fleet = Fleet(AGENTS)
    rollout = fleet.start(PLAN)
    died = run_with_kills(fleet, rollout, kills=20, seed=seed)
    assert died >= 10
    assert state_of(rollout) == "succeeded"
    assert fleet.running() == {fleet.v2.config_hash: AGENTS}
    assert set(moves(rollout).values()) == {1}
    offers = Counter(Delivery.objects.filter(cause=rollout.topic).values_list("agent", flat=True))
    assert set(offers.values()) == {1}


@pytest.mark.parametrize("seed", [3, 4])
def test_a_bad_version_comes_back_from_everyone_exactly_once(seed: int) -> None:
    fleet = Fleet(AGENTS)
    bad = {agent.pk for agent in fleet.agents[::5]}
    fleet.answer = lambda agent, config_hash: (
        ConfigStatus.FAILED
        if agent.pk in bad and config_hash == fleet.v2.config_hash
        else ConfigStatus.APPLIED
    )
    rollout = fleet.start(PLAN)
    died = run_with_kills(fleet, rollout, kills=20, seed=seed)
    assert died >= 5
    assert state_of(rollout) == "rolled_back"
    assert fleet.running() == {fleet.v1.config_hash: AGENTS}
    assert moves(rollout)[("", "roll_back")] == 1
    assert not Target.objects.filter(rollout=rollout, active=True).exists()
