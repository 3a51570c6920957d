"""An unhealthy exporter of a healthy collector, where the plan says that it counts."""

from __future__ import annotations

from typing import Any

import pytest

from rollouts.models import Event, Phase
from rollouts.plans.builtin import NAMES, builtin_plan
from rollouts.plans.parse import plan_from_data
from rollouts.plans.plan import Health
from tests.make.speech import suffer
from tests.rollouts.fleet import Fleet, state_of

pytestmark = pytest.mark.django_db
SICK = "exporter otlp/eu: connection refused"


def plan(**more: Any) -> dict[str, Any]:
    return {
        "name": "watched",
        "phases": [{"name": "all", "weight": "100%", "duration": "40s"}],
        "thresholds": {"failure_rate": {"critical": "50%"}},
        "health_grace": "5s",
        "bake": "5s",
        "tolerated_failures": "100%",
        "guards": {"component_health": {"enabled": False, "reason": "tested apart"}},
        **more,
    }


def begin(**more: Any) -> tuple[Fleet, Any]:
    fleet = Fleet(4)
    rollout = fleet.start(plan(**more))
    fleet.run(5)
    return fleet, rollout


def test_a_sick_component_counts_where_the_plan_says_so() -> None:
    fleet, rollout = begin(health="component")
    for agent in fleet.agents[:3]:
        suffer(agent, SICK, at=fleet.now)
    fleet.run(20)
    assert state_of(rollout) in {"rolling_back", "rolled_back"}
    event = Event.objects.get(rollout=rollout, act="roll_back")
    assert f"{SICK} (3 agents)" in str(event.reason)


def test_else_the_agent_as_a_whole_counts() -> None:
    fleet, rollout = begin()
    for agent in fleet.agents:
        suffer(agent, SICK, at=fleet.now)
    fleet.run(80)
    assert state_of(rollout) == "succeeded"


def test_a_component_that_is_well_again_counts_no_more() -> None:
    fleet, rollout = begin(health="component")
    suffer(fleet.agents[0], SICK, at=fleet.now)
    fleet.run(10)
    assert Phase.objects.get(rollout=rollout).counts["unhealthy"] == 1
    suffer(fleet.agents[0], "", at=fleet.now)
    fleet.run(90)
    assert Phase.objects.get(rollout=rollout).counts["unhealthy"] == 0


def test_what_was_sick_before_is_not_held_against_the_rollout() -> None:
    fleet = Fleet(4)
    for agent in fleet.agents:
        suffer(agent, SICK)
    rollout = fleet.start(plan(health="component"))
    fleet.run(90)
    assert state_of(rollout) == "succeeded"


def test_built_in_plans_look_at_components_and_others_where_they_say_so() -> None:
    assert {builtin_plan(name).health for name in NAMES} == {Health.COMPONENT}
    assert plan_from_data(plan()).health is Health.AGENT
