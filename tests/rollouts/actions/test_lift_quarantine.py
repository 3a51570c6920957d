"""Lifting a quarantine: each timeline that tells of it tells of its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agents.models import Agent, AgentStatus, ConfigStatus, Quarantine
from console.lib import hints
from console.lib.problems import Denied, Refused
from console.lib.texts import spoken
from console.words import events as event_words
from rollouts.actions.lift_quarantine import lift_one, lift_version
from rollouts.actions.retry import retry
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.models import Event, Rollback, Rollout
from tests.make.agents import keep
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, state_of

pytestmark = pytest.mark.django_db


def came_back(fleet: Fleet) -> Rollout:
    """A rollout of v2 that every agent refused and that came back by itself."""
    bad = fleet.v2.config_hash

    def answer(agent: Agent, config_hash: str) -> ConfigStatus:
        return ConfigStatus.FAILED if config_hash == bad else ConfigStatus.APPLIED

    fleet.answer = answer
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    return rollout


def lifted_in(**owner: Any) -> list[Event]:
    return list(Event.objects.filter(act="quarantine_lifted", **owner))


def lift(fleet: Fleet, **more: Any) -> list[Quarantine]:
    given = {"config_hash": fleet.v2.config_hash, "by": fleet.approver, "reason": "Backend mended."}
    return lift_version(**{**given, "now": fleet.now, **more})


def test_the_timeline_says_who_lifted_it_for_whom_and_why() -> None:
    fleet = Fleet(20)
    rollout = came_back(fleet)
    lift(fleet)
    [event] = lifted_in(rollout=rollout)
    line = event_words.line(event)
    assert line.text == "The quarantine of v2 is lifted for the whole fleet."
    assert (line.actor, line.reason) == (fleet.approver.name, "Backend mended.")
    assert line.is_reason_quoted
    assert event.at == fleet.now


def test_agents_of_the_rollout_that_had_one_of_their_own_are_counted() -> None:
    fleet = Fleet(20)
    rollout = came_back(fleet)
    for agent in fleet.agents[:2]:
        keep(fleet.v2.config_hash, agent, "failed")
    Quarantine.objects.exclude(agent=None).update(cause=rollout.topic)
    assert len(lift(fleet)) == 3
    [event] = lifted_in(rollout=rollout)
    assert "with 2 agents that were kept from it by themselves" in event_words.line(event).text


def test_one_agent_freed_is_told_as_one_agent() -> None:
    fleet = Fleet(20)
    rollout = came_back(fleet)
    kept = keep(fleet.v2.config_hash, fleet.agents[0], "failed")
    Quarantine.objects.filter(pk=kept.pk).update(cause=rollout.topic)
    lift(fleet, agent=fleet.agents[0].pk)
    [event] = lifted_in(rollout=rollout)
    assert event_words.line(event).text == "The quarantine of v2 is lifted for 1 agent."
    assert Quarantine.objects.filter(agent=None, lifted_at=None).exists()


def test_a_single_quarantine_lifted_by_its_id_is_told_too() -> None:
    fleet = Fleet(20)
    rollout = came_back(fleet)
    whole = Quarantine.objects.get(agent=None)
    lift_one(quarantine_id=whole.pk, by=fleet.approver, reason="Looked at it.", now=fleet.now)
    assert len(lifted_in(rollout=rollout)) == 1


def test_every_rollout_that_quarantined_it_is_told_and_no_other() -> None:
    fleet = Fleet(20)
    rollout = came_back(fleet)
    other = fleet.draft(version=1)
    lift(fleet)
    assert [event.rollout_id for event in lifted_in()] == [rollout.pk]
    assert other.pk != rollout.pk


def test_a_rollback_by_selector_that_kept_it_from_agents_is_told() -> None:
    fleet = Fleet(4)
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    back: Rollback = rollback_selector(
        selector="*", by=fleet.operator, reason="Not what we wanted.", now=fleet.now
    )
    lift(fleet)
    [event] = lifted_in(rollback=back)
    assert event_words.line(event).text == "The quarantine of v2 is lifted for 4 agents."
    assert not lifted_in(rollout=rollout)


def test_a_retry_of_those_that_failed_says_that_it_lifted_what_they_refused() -> None:
    fleet = Fleet(20)
    plan = {**CANARY_THEN_ALL, "tolerated_failures": "60%"}
    plan["phases"] = [{**phase, "success_criteria": []} for phase in plan["phases"]]
    rollout = fleet.start(plan)
    # One of the last phase: a canary of two without it would have no quorum.
    last = rollout.targets.order_by("phase__index", "position").select_related("agent").last()
    assert last is not None
    stubborn = last.agent
    fleet.answer = lambda agent, config_hash: (
        ConfigStatus.FAILED
        if (agent.pk, config_hash) == (stubborn.pk, fleet.v2.config_hash)
        else ConfigStatus.APPLIED
    )
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    kept = keep(fleet.v2.config_hash, stubborn, "failed")
    Quarantine.objects.filter(pk=kept.pk).update(cause=rollout.topic)
    retry(rollout_id=rollout.pk, by=fleet.operator, reason="Disk freed.", now=fleet.now)
    [event] = lifted_in(rollout=rollout)
    assert event_words.line(event).text == "The quarantine of v2 is lifted for 1 agent."


def test_open_pages_hear_of_it(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    fleet = Fleet(20)
    rollout = came_back(fleet)
    told: set[str] = set()
    monkeypatch.setattr(hints, "mark_dirty", lambda *topics: told.update(topics))
    with django_capture_on_commit_callbacks(execute=True):
        lift(fleet)
    assert {"quarantines", "agents", rollout.topic} <= told


def test_the_kept_line_of_state_stays_true() -> None:
    fleet = Fleet(20)
    rollout = came_back(fleet)
    lift(fleet)
    kept = spoken(Rollout.objects.get(pk=rollout.pk).why)["next"]
    assert "was quarantined" in kept
    assert "is quarantined" not in kept


def test_nothing_is_told_where_nothing_was_lifted() -> None:
    fleet = Fleet(20)
    rollout = came_back(fleet)
    with pytest.raises(Denied):
        lift(fleet, by=fleet.operator)
    with pytest.raises(Refused):
        lift(fleet, reason=" ")
    lift(fleet)
    with pytest.raises(Refused):
        lift(fleet)
    assert len(lifted_in(rollout=rollout)) == 1
    assert AgentStatus.objects.count() == 20
