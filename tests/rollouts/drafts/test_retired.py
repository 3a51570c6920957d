"""Retired agents are in no preview, no draft, no wave, no budget; back they are in all of them."""

from __future__ import annotations

import pytest

from agents.actions.retire import retire
from agents.models import Agent
from console.lib.problems import Refused
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.drafts.preview import preview
from rollouts.limits.budget import _room
from rollouts.models import Budget, Target
from tests.make.speech import connect
from tests.make.times import NOW
from tests.rollouts.fleet import ALL_AT_ONCE, CANARY_THEN_ALL, Fleet, state_of

pytestmark = pytest.mark.django_db


def fleet_of(living: int, retired: int) -> Fleet:
    fleet = Fleet(living + retired, region="eu")
    for agent in fleet.agents[living:]:
        connect(agent, connected=False)
        retire(agent_id=agent.pk, by=fleet.operator, reason="scaled in", now=NOW)
    return fleet


def matched(fleet: Fleet, selector: str = "*") -> int:
    return preview(
        config="edge",
        version=2,
        plan=CANARY_THEN_ALL,
        selector=selector,
        seed="s",
        now=fleet.now,
    ).matched


def test_a_preview_and_its_draft_leave_them_out() -> None:
    fleet = fleet_of(10, 5)
    assert matched(fleet) == matched(fleet, "env!=dev") == matched(fleet, "region=eu") == 10
    rollout = fleet.draft()
    assert Target.objects.filter(rollout=rollout).count() == 10


def test_who_is_back_is_matched_again() -> None:
    fleet = fleet_of(10, 5)
    Agent.objects.filter(pk=fleet.agents[-1].pk).update(retired_at=None)
    assert matched(fleet) == 11


def test_a_rollback_by_selector_does_not_reach_them() -> None:
    fleet = fleet_of(0, 2)
    with pytest.raises(Refused):
        rollback_selector(selector="*", by=fleet.operator, reason="go back", now=NOW)


def test_a_share_of_a_budget_is_of_the_living() -> None:
    fleet = fleet_of(10, 10)
    budget = Budget.objects.create(
        label="region", max_share=0.5, updated_by="x", updated_at=fleet.now
    )
    assert _room(budget, {fleet.agents[0].pk: "eu"}, count_unhealthy=True) == {"eu": 5}


def test_a_member_that_is_retired_meanwhile_holds_nobody() -> None:
    fleet = Fleet(20)
    away = fleet.agents[0]
    connect(away, connected=False)
    rollout = fleet.start(ALL_AT_ONCE)
    fleet.run(3)
    retire(agent_id=away.pk, by=fleet.operator, reason="gone", now=fleet.now)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
