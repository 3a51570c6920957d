"""Agents that come after the draft (spec section 4, late joiners), and the rest of the fleet."""

from __future__ import annotations

import pytest

from accounts.actor import SYSTEM
from agents.models import ConfigStatus, Quarantine
from rollouts.actions.abort import abort
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.delivering.joiners import count_joiners
from rollouts.loop.tick import welcome_all
from rollouts.models import Event
from tests.make.agents import keep, make_collector
from tests.make.speech import wanted_of
from tests.rollouts.delivering.test_delivering import silent
from tests.rollouts.fleet import ALL_AT_ONCE, CANARY_THEN_ALL, Fleet, phases_of, state_of

pytestmark = pytest.mark.django_db


def test_a_newcomer_gets_the_last_completed_version_at_once() -> None:
    fleet = Fleet(5)
    rollout = fleet.start(ALL_AT_ONCE)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    newcomer = make_collector({"env": "prod"})
    welcome_all()
    assert wanted_of(newcomer) == fleet.v2.config_hash
    assert Event.objects.filter(rollout=rollout, act="late_joiners").count() == 1


def test_a_newcomer_gets_the_running_version_only_with_the_last_wave() -> None:
    fleet = Fleet(10)
    rollout = fleet.start(CANARY_THEN_ALL)
    newcomer = make_collector({"env": "prod"})
    fleet.run_until(lambda: phases_of(rollout) == ["passed", "observing"])
    assert wanted_of(newcomer) == ""
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    assert wanted_of(newcomer) == fleet.v2.config_hash
    assert rollout.phases.get(is_rest=True).counts["applied"] == 1


def test_a_newcomer_gets_no_version_whose_rollout_came_back_though_nobody_refused_it() -> None:
    fleet = Fleet(4)
    fleet.answer = lambda agent, config_hash: (
        silent(agent, config_hash) if config_hash == fleet.v2.config_hash else ConfigStatus.APPLIED
    )
    rollout = fleet.start(ALL_AT_ONCE)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert not Quarantine.objects.filter(agent=None).exists()
    newcomer = make_collector({"env": "prod"})
    assert welcome_all() == 0
    assert wanted_of(newcomer) == ""


def test_a_newcomer_gets_no_version_whose_rollout_a_person_stopped() -> None:
    fleet = Fleet(10)
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    abort(rollout_id=rollout.pk, by=fleet.operator, reason="enough", now=fleet.now)
    newcomer = make_collector({"env": "prod"})
    assert welcome_all() == 0
    assert wanted_of(newcomer) == ""


def test_a_newcomer_that_refused_it_before_is_none() -> None:
    fleet = Fleet(5)
    rollout = fleet.start(CANARY_THEN_ALL)
    newcomer = make_collector({"env": "prod"})
    assert count_joiners(rollout) == 1
    keep(fleet.v2.config_hash, newcomer, "failed")
    assert count_joiners(rollout) == 0


def test_a_newcomer_outside_the_selection_gets_nothing() -> None:
    fleet = Fleet(5)
    rollout = fleet.start(ALL_AT_ONCE, selector="env=prod")
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    stranger = make_collector({"env": "dev"})
    welcome_all()
    assert wanted_of(stranger) == ""


def test_a_newcomer_does_not_get_what_its_like_were_taken_back_from() -> None:
    fleet = Fleet(5)
    rollout = fleet.start(ALL_AT_ONCE)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    rollback_selector(
        selector="env=prod", to="previous", reason="leaks memory", by=SYSTEM, now=fleet.now
    )
    like, unlike = make_collector({"env": "prod"}), make_collector({"env": "dev"})
    welcome_all()
    assert wanted_of(like) == ""
    assert wanted_of(unlike) == fleet.v2.config_hash


def test_who_was_left_out_by_plan_is_no_newcomer() -> None:
    fleet = Fleet(10)
    half = {**ALL_AT_ONCE, "phases": [{"weight": "50%", "duration": "5s"}], "promote_rest": False}
    rollout = fleet.start(half)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    assert welcome_all() == 0


def test_the_rest_gets_the_version_as_a_last_guarded_wave() -> None:
    fleet = Fleet(10)
    half = {**ALL_AT_ONCE, "phases": [{"weight": "50%", "duration": "5s"}]}
    rollout = fleet.start(half)
    assert list(rollout.phases.values_list("name", "is_rest")) == [("50%", False), ("rest", True)]
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    assert fleet.running() == {fleet.v2.config_hash: 10}
