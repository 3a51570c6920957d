"""Guards that every plan has: a dead exporter, a queue that only grows, a sick component."""

from __future__ import annotations

from typing import Any

import pytest

from agents.models import AgentBody
from console.words.events import line
from rollouts.models import Event, Measurement, Rollout
from tests.make.speech import suffer
from tests.rollouts.fleet import Fleet, state_of, why_of

pytestmark = pytest.mark.django_db
PLAN: dict[str, Any] = {
    "name": "bare",
    "phases": [{"name": "all", "weight": "100%", "duration": "60s"}],
    "health_grace": "5s",
    "bake": "5s",
}
SICK = "exporter otlp/eu: connection refused"


def gate_of(rollout: Rollout, metric: str) -> Measurement:
    gate = f"threshold:{metric}@default"
    found = Measurement.objects.filter(rollout=rollout, gate=gate).order_by("-at").first()
    assert found is not None
    return found


def test_without_data_they_hold_nothing_and_say_what_nobody_could_see() -> None:
    fleet = Fleet(4)
    rollout = fleet.start(PLAN)
    fleet.run(30)
    assert "No data about: Export failures, Data continuity, Component health" in why_of(rollout)
    fleet.run(60)
    assert state_of(rollout) == "succeeded"
    passed = Event.objects.get(rollout=rollout, act="pass_phase")
    assert str(passed.reason) == "no data about: Export failures, Data continuity, Component health"
    assert line(passed).text == "All passed: 1 guard passes, 3 had no data."


def test_a_sick_component_brings_a_plan_back_that_names_no_criterion() -> None:
    fleet = Fleet(4)
    rollout = fleet.start(PLAN)
    fleet.run(5)
    for agent in fleet.agents:
        suffer(agent, SICK, at=fleet.now)
    fleet.run(40)
    assert state_of(rollout) in {"rolling_back", "rolled_back"}
    assert SICK in str(Event.objects.get(rollout=rollout, act="roll_back").reason)


def test_components_that_were_sick_before_are_not_held_against_it() -> None:
    fleet = Fleet(4)
    for agent in fleet.agents:
        suffer(agent, SICK)
        AgentBody.objects.create(
            agent=agent, part="health", body_hash="", body={"components": {}}, at=fleet.now
        )
    rollout = fleet.start(PLAN)
    fleet.run(30)
    assert gate_of(rollout, "component_health").value == 0.0
    fleet.run(60)
    assert state_of(rollout) == "succeeded"


def test_one_turned_off_does_not_act() -> None:
    fleet = Fleet(4)
    off = {"component_health": {"enabled": False, "reason": "the backend moves tonight"}}
    rollout = fleet.start({**PLAN, "guards": off})
    fleet.run(5)
    for agent in fleet.agents:
        suffer(agent, SICK, at=fleet.now)
    fleet.run(90)
    assert state_of(rollout) == "succeeded"
