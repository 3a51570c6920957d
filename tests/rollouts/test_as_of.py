"""A rollout that was really driven, looked at as it was: at every moment it says what it said then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from agents.models import Agent, ConfigStatus
from rollouts.as_of import as_of, targets_as_of
from rollouts.models import Phase, Rollout, RolloutMoment, Target
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, manual

pytestmark = pytest.mark.django_db

ROLLOUT_FIELDS = ("state", "why", "current_phase", "started_at", "finished_at")
PHASE_FIELDS = ("state", "counts", "started_at", "deployed_at", "finished_at", "advanced_by")


def said(rollout: Rollout) -> dict[str, Any]:
    """What stands in the rows now."""
    now = Rollout.objects.get(pk=rollout.pk)
    return {
        "rollout": {name: getattr(now, name) for name in ROLLOUT_FIELDS},
        "phases": [
            {name: getattr(phase, name) for name in PHASE_FIELDS}
            for phase in Phase.objects.filter(rollout=rollout).order_by("index")
        ],
    }


def said_then(rollout: Rollout, at: datetime) -> dict[str, Any]:
    past = as_of(Rollout.objects.for_detail().get(pk=rollout.pk), at)
    return {
        "rollout": {name: getattr(past.rollout, name) for name in ROLLOUT_FIELDS},
        "phases": [{name: getattr(phase, name) for name in PHASE_FIELDS} for phase in past.phases],
    }


def states(rollout: Rollout) -> dict[int, tuple[str, str]]:
    rows = Target.objects.filter(rollout=rollout).values_list("agent_id", "state", "taken_from")
    return {agent: (state, was) for agent, state, was in rows}


def states_then(rollout: Rollout, at: datetime) -> dict[int, tuple[str, str]]:
    rows: QuerySet[Any, Any] = targets_as_of(rollout, at)
    found = rows.values_list("agent_id", "then", "then_from")
    return {agent: (state, was) for agent, state, was in found}


def recorded(fleet: Fleet, rollout: Rollout, seconds: int) -> list[tuple[datetime, Any, Any]]:
    found = []
    for _ in range(seconds):
        fleet.run(1)
        found.append((fleet.now, said(rollout), states(rollout)))
    return found


def refusing(fleet: Fleet, after: float) -> None:
    """From then on the new version is refused."""
    until = fleet.now + timedelta(seconds=after)

    def answer(agent: Agent, config_hash: str) -> ConfigStatus:
        is_bad = config_hash == fleet.v2.config_hash and fleet.now > until
        return ConfigStatus.FAILED if is_bad else ConfigStatus.APPLIED

    fleet.answer = answer


def test_a_rollout_that_passed_is_as_it_was_at_every_second() -> None:
    fleet = Fleet(12)
    rollout = fleet.start(CANARY_THEN_ALL)
    seen = recorded(fleet, rollout, 45)
    assert seen[-1][1]["rollout"]["state"] == "succeeded"
    for at, rows, targets in seen:
        assert said_then(rollout, at) == rows
        assert states_then(rollout, at) == targets


def test_a_rollout_that_came_back_is_as_it_was_at_every_second() -> None:
    fleet = Fleet(12)
    rollout = fleet.start(CANARY_THEN_ALL)
    refusing(fleet, after=11)
    seen = recorded(fleet, rollout, 40)
    assert seen[-1][1]["rollout"]["state"] == "rolled_back"
    assert {row["state"] for _, rows, _ in seen for row in rows["phases"]} >= {"passed", "failed"}
    for at, rows, targets in seen:
        assert said_then(rollout, at) == rows
        assert states_then(rollout, at) == targets


def test_waiting_for_approval_is_shown_as_such_later() -> None:
    fleet = Fleet(12)
    rollout = fleet.start(manual(CANARY_THEN_ALL))
    [*_, (at, rows, _)] = recorded(fleet, rollout, 15)
    assert [phase["state"] for phase in rows["phases"]] == ["passed", "awaiting_approval"]
    fleet.run(20)
    assert said_then(rollout, at) == rows


def test_before_its_start_a_rollout_was_a_draft_that_nobody_had_got() -> None:
    fleet = Fleet(4)
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run(10)
    past = as_of(Rollout.objects.for_detail().get(pk=rollout.pk), rollout.created_at - timedelta(1))
    assert (past.rollout.state, past.rollout.started_at, past.is_kept) == ("draft", None, False)
    assert {phase.state for phase in past.phases} == {"pending"}
    assert set(states_then(rollout, past.at).values()) == {("waiting", "")}


def test_looking_at_the_past_changes_nothing() -> None:
    fleet = Fleet(4)
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run(10)
    before, now = said(rollout), Rollout.objects.for_detail().get(pk=rollout.pk)
    as_of(now, rollout.created_at)
    assert now.state == "running"
    assert said(rollout) == before


def test_a_rollout_that_says_the_same_keeps_nothing_more() -> None:
    fleet = Fleet(4)
    rollout = fleet.start(manual(CANARY_THEN_ALL))
    fleet.run(20)
    before = RolloutMoment.objects.filter(rollout=rollout).count()
    fleet.run(30)
    assert RolloutMoment.objects.filter(rollout=rollout).count() == before
    assert before < 20


def test_a_second_keeps_one_moment_the_newest() -> None:
    fleet = Fleet(12)
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run(3, step=0.1)
    seconds = list(RolloutMoment.objects.filter(rollout=rollout).values_list("second", flat=True))
    assert len(seconds) == len(set(seconds)) <= 4
    assert said_then(rollout, fleet.now) == said(rollout)
