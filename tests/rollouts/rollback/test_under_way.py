"""Agents that were sent a version, have not answered yet, and are to come back from it: what they said
last is from before, and is not what they will run."""

from __future__ import annotations

import pytest

from agents.models import Agent
from rollouts.actions.rollback import rollback_rollout
from rollouts.models import RollbackTarget, Rollout
from tests.make.speech import connect, feel, report, send
from tests.rollouts.fleet import ALL_AT_ONCE, Fleet, state_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet() -> Fleet:
    """Agents that have been sent v2, say nothing, and are to go back."""
    fleet = Fleet(3)
    fleet.answer = lambda agent, config_hash: None
    rollout = fleet.start(ALL_AT_ONCE)
    for agent in fleet.agents:
        send(agent, fleet.now)
    rollback_rollout(rollout_id=rollout.pk, by=fleet.operator, reason="hurts", now=fleet.now)
    fleet.run(1)
    return fleet


def confirmed() -> set[int]:
    rows = RollbackTarget.objects.filter(state="confirmed")
    return set(rows.values_list("agent_id", flat=True))


def said(fleet: Fleet, agent: Agent, *hashes: str) -> None:
    for config_hash in hashes:
        report(agent, config_hash, at=fleet.now)
        fleet.run(1)


def test_none_of_them_counts_as_back_by_what_it_said_before(fleet: Fleet) -> None:
    fleet.run(3)
    assert confirmed() == set()
    assert state_of(Rollout.objects.get()) == "rolling_back"


def test_other_news_of_them_is_no_answer(fleet: Fleet) -> None:
    one, two, _ = fleet.agents
    feel(one, healthy=False, at=fleet.now)
    connect(two, connected=False, at=fleet.now)
    fleet.run(1)
    connect(two, at=fleet.now)
    fleet.run(1)
    assert confirmed() == set()


def test_their_own_word_counts_whether_they_ran_the_version_in_between_or_not(
    fleet: Fleet,
) -> None:
    one, two, three = fleet.agents
    said(fleet, one, fleet.v2.config_hash)
    assert confirmed() == set()
    said(fleet, one, fleet.v1.config_hash)
    said(fleet, two, fleet.v1.config_hash)
    assert confirmed() == {one.pk, two.pk}
    said(fleet, three, fleet.v2.config_hash, fleet.v1.config_hash)
    assert state_of(Rollout.objects.get()) == "rolled_back"
    assert fleet.running() == {fleet.v1.config_hash: 3}


def test_who_never_answers_is_a_straggler(fleet: Fleet) -> None:
    one, two, _ = fleet.agents
    said(fleet, one, fleet.v1.config_hash)
    said(fleet, two, fleet.v1.config_hash)
    fleet.run_until(lambda: state_of(Rollout.objects.get()) == "rollback_incomplete")
    assert confirmed() == {one.pk, two.pk}
