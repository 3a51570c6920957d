"""Freeze windows and budgets on running rollouts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from agents.models import Delivery
from console.lib.problems import Denied, Invalid, Missing
from rollouts.actions.approve import approve
from rollouts.actions.limits.budgets import delete_budget, save_budget
from rollouts.actions.limits.environment_guards import save_environment_guard
from rollouts.actions.limits.freeze_windows import delete_freeze_window, save_freeze_window
from rollouts.actions.rollback import rollback_rollout
from rollouts.limits.budget import lease, release
from rollouts.models import BudgetLease, EnvironmentGuard, FreezeWindow
from tests.make.agents import make_collector
from tests.make.people import make_actor
from tests.make.speech import feel
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, manual, phases_of, state_of, why_of

pytestmark = pytest.mark.django_db

ALL = {"name": "all", "phases": [{"name": "all", "weight": "100%", "duration": "5s"}], "bake": "1s"}


def freeze(fleet: Fleet, environment: str = "prod", seconds: int = 60) -> FreezeWindow:
    return save_freeze_window(
        name="holidays",
        environment=environment,
        starts_at=fleet.now - timedelta(seconds=1),
        ends_at=fleet.now + timedelta(seconds=seconds),
        by=make_actor("admin"),
        reason="nobody is here",
        now=fleet.now,
    )


def test_nothing_starts_in_a_frozen_environment() -> None:
    fleet = Fleet(10)
    freeze(fleet)
    rollout = fleet.start()
    fleet.run(30)
    assert phases_of(rollout) == ["pending", "pending"]
    assert "holidays" in why_of(rollout)


def test_it_goes_on_by_itself_when_the_window_ends() -> None:
    fleet = Fleet(10)
    freeze(fleet)
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "succeeded")


def test_another_environment_is_not_held() -> None:
    fleet = Fleet(10)
    freeze(fleet, "staging")
    rollout = fleet.start()
    fleet.run(5)
    assert phases_of(rollout)[0] == "observing"


def test_the_next_phase_waits_and_observation_goes_on() -> None:
    fleet = Fleet(10)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    freeze(fleet)
    fleet.run(20)
    assert phases_of(rollout) == ["passed", "pending"]


def test_an_approval_may_be_given_in_a_freeze_and_starts_after_it() -> None:
    fleet = Fleet(10)
    rollout = fleet.start(manual(CANARY_THEN_ALL))
    fleet.run_until(lambda: phases_of(rollout)[1] == "awaiting_approval")
    freeze(fleet, seconds=20)
    fleet.run(2)
    from_act = _approve(fleet, rollout.pk)
    assert from_act == "awaiting_approval"
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")


def _approve(fleet: Fleet, rollout_id: int) -> str:
    phase = approve(rollout_id=rollout_id, phase="all", by=fleet.approver, now=fleet.now)
    return str(phase.state)


def test_a_rollback_passes_a_freeze() -> None:
    fleet = Fleet(10)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    freeze(fleet, seconds=600)
    rollback_rollout(rollout_id=rollout.pk, by=fleet.operator, reason="no", now=fleet.now)
    fleet.run(10)
    assert state_of(rollout) == "rolled_back"


def test_a_window_that_is_deleted_holds_no_more() -> None:
    fleet = Fleet(10)
    freeze(fleet, seconds=3600)
    rollout = fleet.start()
    fleet.run(5)
    delete_freeze_window(name="holidays", by=make_actor("admin"), reason="done", now=fleet.now)
    fleet.run(5)
    assert phases_of(rollout)[0] == "observing"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"time_zone": "Mars/Olympus"}, "is no time zone"),
        ({"weekdays": [7]}, "0 \\(Monday\\) to 6"),
        ({}, "Give both starts_at and ends_at"),
        ({"weekdays": [1], "from_time": "x"}, "both from_time and to_time"),
        ({"name": " ", "weekdays": [1]}, "Give the window a name"),
    ],
)
def test_a_wrong_window_is_explained(wrong: dict[str, object], says: str) -> None:
    given = {"name": "w", "reason": "why", "by": make_actor("admin"), **wrong}
    with pytest.raises(Invalid, match=says):
        save_freeze_window(**given)  # type: ignore[arg-type]


def test_only_admins_write_policies() -> None:
    operator = make_actor("operator")
    with pytest.raises(Denied):
        save_freeze_window(name="w", weekdays=[1], by=operator, reason="why")
    with pytest.raises(Denied):
        save_budget(label="region", max_agents=1, by=operator, reason="why")
    with pytest.raises(Denied):
        save_environment_guard(name="g", thresholds={}, by=operator, reason="why")


# Budgets


def budget(fleet: Fleet, **limits: float) -> None:
    save_budget(label="region", by=make_actor("admin"), reason="calm", now=fleet.now, **limits)  # type: ignore[arg-type]


def test_no_more_than_the_budget_change_at_once() -> None:
    fleet = Fleet(10, region="eu")
    budget(fleet, max_agents=3)
    fleet.answer = lambda agent, config_hash: None
    rollout = fleet.start(ALL)
    fleet.run(5)
    assert Delivery.objects.filter(state="open").count() == 3
    assert "blast-radius budget of region=eu" in why_of(rollout)


def test_more_is_sent_as_agents_settle() -> None:
    fleet = Fleet(10, region="eu")
    budget(fleet, max_share=0.2)
    rollout = fleet.start(ALL)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    assert not BudgetLease.objects.exists()


def test_unhealthy_agents_use_the_budget_too() -> None:
    fleet = Fleet(10, region="eu")
    budget(fleet, max_agents=3)
    for _ in range(2):
        feel(make_collector({"env": "other", "region": "eu"}), False)
    fleet.answer = lambda agent, config_hash: None
    fleet.start(ALL, selector="env=prod")
    fleet.run(5)
    assert Delivery.objects.filter(state="open").count() == 1


def test_to_change_the_unhealthy_takes_no_more_of_the_budget() -> None:
    fleet = Fleet(10, region="eu")
    budget(fleet, max_agents=3)
    for agent in fleet.agents[:5]:
        feel(agent, False)
    fleet.answer = lambda agent, config_hash: None
    fleet.start(ALL)
    fleet.run(5)
    offered = set(Delivery.objects.filter(state="open").values_list("agent", flat=True))
    assert offered == {agent.pk for agent in fleet.agents[:5]}


def test_a_gradual_rollback_does_not_wait_for_the_health_that_it_brings() -> None:
    fleet = Fleet(10, region="eu")
    plan = {**ALL, "rollback": {"strategy": {"method": "gradual"}}}
    rollout = fleet.start({**plan, "phases": [{"weight": "100%", "duration": "60s"}]})
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    budget(fleet, max_agents=3)
    for agent in fleet.agents[:5]:
        feel(agent, False, at=fleet.now)
    rollback_rollout(rollout_id=rollout.pk, by=fleet.operator, reason="no", now=fleet.now)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")


def test_a_gradual_rollback_waits_for_what_others_change() -> None:
    fleet = Fleet(4, region="eu")
    rollout = fleet.start({**ALL, "rollback": {"strategy": {"method": "gradual"}}})
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    budget(fleet, max_agents=1)
    other = make_collector({"env": "other", "region": "eu"})
    with transaction.atomic():
        lease([other.pk], "rollout:999", fleet.now)
    rollback_rollout(rollout_id=rollout.pk, by=fleet.operator, reason="no", now=fleet.now)
    fleet.run(10)
    assert not Delivery.objects.filter(config_hash=fleet.v1.config_hash).exists()
    release("rollout:999")
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")


def test_each_value_has_its_own_room() -> None:
    fleet = Fleet(4, region="eu")
    for _ in range(4):
        make_collector({"env": "prod", "region": "us"}, running_hash=fleet.v1.config_hash)
    budget(fleet, max_agents=1)
    fleet.answer = lambda agent, config_hash: None
    fleet.start(ALL)
    fleet.run(5)
    assert Delivery.objects.filter(state="open").count() == 2


def test_an_immediate_rollback_is_not_held_but_counted() -> None:
    fleet = Fleet(10, region="eu")
    rollout = fleet.start(ALL)
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    budget(fleet, max_agents=1)
    fleet.answer = lambda agent, config_hash: None
    rollback_rollout(rollout_id=rollout.pk, by=fleet.operator, reason="no", now=fleet.now)
    fleet.run(1)
    assert BudgetLease.objects.count() == 10


def test_a_deleted_budget_holds_nothing() -> None:
    fleet = Fleet(10, region="eu")
    budget(fleet, max_agents=1)
    delete_budget(label="region", by=make_actor("admin"), reason="done", now=fleet.now)
    with pytest.raises(Missing):
        delete_budget(label="region", by=make_actor("admin"), reason="done", now=fleet.now)


def test_a_budget_without_a_limit_is_refused() -> None:
    with pytest.raises(Invalid, match="max_agents, max_share"):
        save_budget(label="region", by=make_actor("admin"), reason="why")


# Guards of environments


def test_a_guard_is_written_as_in_a_plan_and_checked() -> None:
    admin = make_actor("admin")
    save_environment_guard(
        name="prod-failures",
        environment="prod",
        thresholds={"failure_rate": {"critical": "1%"}},
        by=admin,
        reason="policy",
    )
    assert EnvironmentGuard.objects.get().spec["thresholds"][0]["critical"] == 0.01
    with pytest.raises(Invalid, match="has no unit"):
        save_environment_guard(
            name="bad", thresholds={"failure_rate": {"critical": "1"}}, by=admin, reason="policy"
        )


def test_a_guard_of_the_environment_rolls_back_whatever_the_plan_says() -> None:
    fleet = Fleet(10)
    save_environment_guard(
        name="prod-failures",
        environment="prod",
        thresholds={"failure_rate": {"critical": "1%"}},
        by=make_actor("admin"),
        reason="policy",
        now=fleet.now,
    )
    rollout = fleet.start(ALL)
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    feel(fleet.agents[0], False, at=fleet.now)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
