"""Starting, queueing, superseding, scheduling and retrying rollouts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.models import Agent, ConfigStatus, Quarantine
from console.lib.problems import Refused, Stale
from rollouts.actions.abort import abort
from rollouts.actions.retry import retry
from rollouts.actions.start import start
from rollouts.loop.begin import count_again
from rollouts.models import Rollout, Target
from tests.make.agents import make_collector
from tests.make.configs import make_version
from tests.rollouts.actions.test_acts import done, observing
from tests.rollouts.fleet import Fleet, state_of, why_of

pytestmark = pytest.mark.django_db


def test_a_second_start_is_refused_naming_the_first() -> None:
    fleet, rollout = observing()
    with pytest.raises(Refused, match=rollout.number):
        fleet.start()


def test_a_queued_rollout_starts_when_the_first_is_over() -> None:
    fleet, first = observing()
    make_version(author=fleet.author)
    second = fleet.start(version=3, when_busy="queue")
    assert state_of(second) == "scheduled"
    assert first.number in why_of(second)
    fleet.run_until(lambda: state_of(second) == "running")
    assert state_of(first) == "succeeded"


def test_a_queue_is_served_in_its_order() -> None:
    fleet, first = observing()
    make_version(author=fleet.author)
    make_version(author=fleet.author)
    second = fleet.start(version=3, when_busy="queue")
    third = fleet.start(version=4, when_busy="queue")
    assert second.number in why_of(third)
    fleet.run_until(lambda: state_of(first) == "completing")
    done(abort, fleet, first, fleet.operator, reason="make room")
    Rollout.objects.filter(pk=second.pk).update(next_tick_at=fleet.now + timedelta(seconds=20))
    fleet.run(10)
    assert (state_of(second), state_of(third)) == ("scheduled", "scheduled")
    fleet.run_until(lambda: state_of(third) == "running")
    assert state_of(second) == "succeeded"


def test_a_version_quarantined_while_its_rollout_waits_does_not_start() -> None:
    fleet = Fleet(5)
    rollout = fleet.start(start_at=fleet.now + timedelta(seconds=30))
    kept = Quarantine.objects.create(
        config_hash=fleet.v2.config_hash, outcome="by_hand", by="wei", at=fleet.now
    )
    fleet.run(60)
    assert state_of(rollout) == "scheduled"
    assert "quarantined for the whole fleet" in why_of(rollout)
    kept.lifted_at = fleet.now
    kept.save()
    fleet.run(40)
    assert state_of(rollout) == "running"


def test_a_superseding_rollout_takes_over() -> None:
    fleet, first = observing()
    make_version(author=fleet.author)
    second = fleet.start(version=3, when_busy="supersede")
    assert (state_of(first), state_of(second)) == ("superseded", "running")
    assert Rollout.objects.get(pk=first.pk).superseded_by == second


def test_a_scheduled_rollout_starts_at_its_time() -> None:
    fleet = Fleet(10)
    rollout = fleet.start(start_at=fleet.now + timedelta(seconds=30))
    fleet.run(20)
    assert state_of(rollout) == "scheduled"
    fleet.run(15)
    assert state_of(rollout) == "running"


def test_a_fleet_that_changed_since_the_preview_is_shown_first() -> None:
    fleet = Fleet(20)
    rollout = fleet.draft()
    for _ in range(6):
        make_collector({"env": "prod"})
    with pytest.raises(Stale, match="6 agents more, 0 fewer"):
        done(start, fleet, rollout, fleet.operator)
    assert state_of(rollout) == "draft"


def test_who_saw_the_new_count_starts_with_it() -> None:
    fleet = Fleet(20)
    rollout = fleet.draft()
    for _ in range(6):
        make_collector({"env": "prod"})
    fresh = count_again(rollout, fleet.now)
    done(start, fleet, rollout, fleet.operator, seen_preview=fresh.digest)
    assert Target.objects.filter(rollout=rollout, active=True).count() == 26


def test_who_saw_another_preview_does_not_start() -> None:
    fleet = Fleet(20)
    rollout = fleet.draft()
    with pytest.raises(Stale, match="not the preview"):
        done(start, fleet, rollout, fleet.operator, seen_preview="x")


def test_a_draft_is_started_once() -> None:
    fleet = Fleet(5)
    rollout = fleet.start()
    with pytest.raises(Refused, match="cannot be started"):
        done(start, fleet, rollout, fleet.operator)


# Retry


def failing_two() -> tuple[Fleet, Rollout]:
    fleet = Fleet(20)
    bad = {agent.pk for agent in fleet.agents[:2]}
    fleet.answer = lambda agent, config_hash: (
        ConfigStatus.FAILED if agent.pk in bad else ConfigStatus.APPLIED
    )
    plan = {"name": "all", "phases": [{"weight": "100%", "duration": "5s"}], "bake": "5s"}
    rollout = fleet.start(plan)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    return fleet, rollout


def test_retry_is_a_new_rollout_of_those_that_failed() -> None:
    fleet, rollout = failing_two()
    for agent in fleet.agents[:2]:
        _quarantined(agent, fleet)
    fleet.answer = lambda agent, config_hash: ConfigStatus.APPLIED
    second = done(retry, fleet, rollout, fleet.operator, reason="disk was full")
    assert Target.objects.filter(rollout=second).count() == 2
    fleet.run_until(lambda: state_of(second) == "succeeded")
    assert fleet.running() == {fleet.v2.config_hash: 20}


def _quarantined(agent: Agent, fleet: Fleet) -> None:
    Quarantine.objects.get_or_create(
        agent=agent,
        config_hash=fleet.v2.config_hash,
        lifted_at=None,
        defaults={"outcome": "failed", "by": "system", "at": fleet.now},
    )


def test_retry_of_a_running_rollout_is_refused() -> None:
    fleet, rollout = observing()
    with pytest.raises(Refused, match="still runs"):
        done(retry, fleet, rollout, fleet.operator)


def test_retry_when_nobody_failed_is_refused() -> None:
    fleet, rollout = observing()
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    with pytest.raises(Refused, match="No agent failed"):
        done(retry, fleet, rollout, fleet.operator)
