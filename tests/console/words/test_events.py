"""Timelines name who did something: a person, a gate, a guard, the plan, agents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from console.words.events import lines
from rollouts.models import Event
from tests.make.times import NOW


def event(act: str, *, by: str = "", seconds: int = 0, **inputs: Any) -> Event:
    return Event(
        act=act,
        actor_kind="human" if by else "system",
        actor_name=by or "system",
        at=NOW + timedelta(seconds=seconds),
        phase="canary",
        inputs=inputs,
    )


def actors(*events: Event) -> list[str]:
    return [line.actor for line in lines(events)]


@pytest.mark.parametrize("act", ["start", "approval_approved", "resume", "advance"])
def test_a_phase_that_a_persons_act_started_is_that_persons(act: str) -> None:
    assert actors(event(act, by="lin"), event("start_phase")) == ["lin", "lin"]


def test_a_phase_that_the_plan_started_is_the_plans() -> None:
    told = actors(
        event("start", by="lin"), event("pass_phase", seconds=9), event("start_phase", seconds=9)
    )
    assert told == ["lin", "policy", "policy"]


@pytest.mark.parametrize(
    ("act", "inputs", "who"),
    [
        ("deployed", {}, "policy"),
        ("ask_approval", {}, "policy"),
        ("succeed", {}, "policy"),
        ("fail_phase", {"gate": {"kind": "criterion"}}, "gate"),
        ("gate_critical", {"gate": {"kind": "threshold"}}, "guard"),
        ("fail_phase", {"gate": {"kind": "floor"}}, "policy"),
        ("fell_back", {"agents": 1}, "agents"),
        ("redrawn", {"agents": 1}, "policy"),
    ],
)
def test_what_no_person_did_names_what_did_it(act: str, inputs: dict[str, Any], who: str) -> None:
    assert actors(event(act, **inputs)) == [who]
