"""An agent is offered once more what it should run: its own refusal is forgotten, nobody else's word."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent
from agents.actions.retry_config import retry_config, why_not_retry
from agents.models import Agent, ConfigStatus, Delivery, Desired, Quarantine
from console.lib.problems import Denied, Missing, Refused
from rollouts.models import Rollout, Target
from tests.make.agents import keep, make_collector
from tests.make.people import make_actor
from tests.make.speech import report, wanted_of
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, state_of

pytestmark = pytest.mark.django_db


def refusing(fleet: Fleet, *agents: Agent) -> None:
    """From now on these agents refuse v2."""
    who = {agent.pk for agent in agents}
    fleet.answer = lambda agent, config_hash: (
        ConfigStatus.FAILED
        if agent.pk in who and config_hash == fleet.v2.config_hash
        else ConfigStatus.APPLIED
    )


def refused_in_a_rollout() -> tuple[Fleet, Rollout, Agent]:
    """A rollout that goes on although one agent has refused its version."""
    fleet = Fleet(20)
    agent = fleet.agents[0]
    refusing(fleet, agent)
    plan: dict[str, Any] = {**CANARY_THEN_ALL, "tolerated_failures": "60%"}
    plan["phases"] = [{**phase, "success_criteria": []} for phase in plan["phases"]]
    rollout = fleet.start(plan)
    fleet.run_until(lambda: Target.objects.filter(agent=agent, state="failed").exists())
    keep(fleet.v2.config_hash, agent, "failed")
    return fleet, rollout, agent


def test_the_config_is_offered_again_and_the_refusal_forgotten() -> None:
    fleet, rollout, agent = refused_in_a_rollout()
    before = Desired.objects.get(agent=agent).change
    assert retry_config(agent_id=agent.pk, by=fleet.operator, now=fleet.now) == wanted_of(agent)
    assert not Quarantine.objects.filter(agent=agent, lifted_at=None).exists()
    delivery = Delivery.objects.get(agent=agent, state="open")
    assert (delivery.config_hash, delivery.cause) == (fleet.v2.config_hash, rollout.topic)
    wanted = Desired.objects.get(agent=agent)
    assert wanted.change > before
    assert wanted.topic == rollout.topic


def test_in_its_rollout_it_counts_as_soon_as_it_runs_it() -> None:
    fleet, rollout, agent = refused_in_a_rollout()
    refusing(fleet)
    retry_config(agent_id=agent.pk, by=fleet.operator, now=fleet.now)
    fleet.run_until(lambda: Target.objects.filter(agent=agent, state="applied").exists())
    fleet.run_until(lambda: state_of(rollout) == "succeeded")


def test_one_that_refuses_it_again_stays_failed() -> None:
    fleet, _rollout, agent = refused_in_a_rollout()
    retry_config(agent_id=agent.pk, by=fleet.operator, now=fleet.now)
    fleet.run(3)
    assert Target.objects.get(agent=agent).state == "failed"


def test_it_is_audited_with_its_reason() -> None:
    fleet, _rollout, agent = refused_in_a_rollout()
    retry_config(agent_id=agent.pk, by=fleet.operator, reason="Disk freed.", now=fleet.now)
    row = AuditEvent.objects.get(act="agents.retry_config")
    assert (row.object_id, row.reason) == (str(agent.pk), "Disk freed.")
    assert row.details == {"config_hash": fleet.v2.config_hash, "lifted": 1}


@pytest.mark.parametrize("outcome", ["by_hand", "rolled_back"])
def test_what_people_or_a_rollback_keep_from_it_stays_kept(outcome: str) -> None:
    fleet, _rollout, agent = refused_in_a_rollout()
    Quarantine.objects.filter(agent=agent).update(outcome=outcome)
    with pytest.raises(Refused, match="lift that first"):
        retry_config(agent_id=agent.pk, by=fleet.operator, now=fleet.now)
    assert Quarantine.objects.filter(agent=agent, lifted_at=None).exists()


def test_what_is_kept_from_the_whole_fleet_stays_kept() -> None:
    fleet, _rollout, agent = refused_in_a_rollout()
    keep(fleet.v2.config_hash, None, "rolled_back")
    with pytest.raises(Refused, match="lift that first"):
        retry_config(agent_id=agent.pk, by=fleet.operator, now=fleet.now)


def test_what_it_runs_is_not_offered_again() -> None:
    fleet = Fleet(1)
    agent = fleet.agents[0]
    rollout = fleet.start({**CANARY_THEN_ALL, "phases": CANARY_THEN_ALL["phases"][1:]})
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    with pytest.raises(Refused, match="It runs the config"):
        retry_config(agent_id=agent.pk, by=fleet.operator, now=fleet.now)


def test_an_agent_that_is_assigned_nothing_has_nothing_to_retry() -> None:
    agent = make_collector()
    report(agent, "c" * 64, ConfigStatus.FAILED)
    problem = why_not_retry(Agent.objects.select_related("status", "desired").get(pk=agent.pk))
    assert str(problem) == "It is assigned no config."
    with pytest.raises(Missing):
        retry_config(agent_id=agent.pk + 1, by=make_actor("operator"))


@pytest.mark.parametrize("role", ["viewer", "author", "approver"])
def test_only_operators_retry(role: str) -> None:
    fleet, _rollout, agent = refused_in_a_rollout()
    with pytest.raises(Denied):
        retry_config(agent_id=agent.pk, by=make_actor(role), now=fleet.now)
    assert Quarantine.objects.filter(agent=agent, lifted_at=None).exists()
