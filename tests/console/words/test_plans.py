"""Plans in words: what each phase adds and to whom, each gate said once, gates and guards apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.words import plans as words
from rollouts.plans.builtin import builtin_plan
from rollouts.plans.parse import parse_plan, plan_from_data
from rollouts.plans.plan import Plan

BY_ENVIRONMENT = Path("console/demo/examples/plan-by-environment.yaml")
GATE = {"metric": "failure_rate", "operator": "<", "threshold": "2%"}


def plan(*phases: dict[str, Any], **more: Any) -> Plan:
    known = {"weight": "100%", "duration": "1m"}
    listed = [{"name": f"p{n}", **known, **phase} for n, phase in enumerate(phases)]
    return plan_from_data({"name": "mine", "phases": listed, **more})


@pytest.mark.parametrize(
    ("phases", "says"),
    [
        ([{"weight": "10%"}, {"weight": "30%"}, {}], "10, 30, 100 %"),
        (
            [
                {"name": "first", "selector": "env=canary"},
                {"name": "tenth", "selector": "env=prod", "weight": "10%"},
                {"name": "rest", "selector": "env=prod"},
            ],
            "canary → 10 % of prod → prod",
        ),
        (
            [{"name": "far_away", "selector": "region!=eu,env=prod", "weight": "5%"}, {}],
            "5 % of far away → 100 %",
        ),
    ],
)
def test_a_plan_is_summed_up_by_whom_each_phase_reaches(
    phases: list[dict[str, Any]], says: str
) -> None:
    assert words.summary(plan(*phases)) == says


def test_the_demos_plan_can_be_understood() -> None:
    found = parse_plan(BY_ENVIRONMENT.read_text())
    assert words.summary(found) == "canary → staging → 10 % of prod → prod"
    shares = [phase.share for phase in words.track(found).phases]
    assert shares == ["canary", "staging", "10 % of prod", "prod"]


def test_a_phase_is_as_wide_as_what_it_adds() -> None:
    found = words.track(plan({"weight": "10%"}, {"weight": "30%"}, {}))
    assert [phase.grow for phase in found.phases] == [10, 20, 70]
    assert [phase.share for phase in found.phases] == ["up to 10 %", "up to 30 %", "up to 100 %"]


def test_agents_that_an_earlier_phase_reached_are_not_drawn_twice() -> None:
    found = plan(
        {"selector": "env=prod", "weight": "10%"}, {"selector": "env=prod"}, {"selector": "env=dev"}
    )
    assert words.own_shares(found) == pytest.approx([0.1, 0.9, 1.0])


def test_a_phase_that_adds_nobody_is_still_seen() -> None:
    assert [phase.grow for phase in words.track(plan({}, {})).phases] == [100, 5]


def test_what_every_phase_asks_is_said_once_and_the_rest_with_its_phase() -> None:
    other = {"metric": "error_count", "operator": "<=", "threshold": "5"}
    found = words.track(
        plan({"success_criteria": [GATE]}, {"success_criteria": [GATE, other]}, bake="1m")
    )
    assert found.gates == ["Failure rate < 2 %"]
    assert [phase.also for phase in found.phases] == [[], ["Error count ≤ 5"]]


def test_gates_and_guards_are_counted_apart() -> None:
    found = words.track(
        plan({"success_criteria": [GATE]}, thresholds={"failure_rate": {"critical": "5%"}})
    )
    # The floor, the plan's own, and two that belong to every plan: its own stands for the third.
    assert found.counts == "1 gate and 4 guards"
    assert found.floor == "failed agents ≤ 10 %"


def test_a_plan_without_gates_still_has_its_guards() -> None:
    off = {"enabled": False, "reason": "There is no telemetry."}
    names = ("failures", "data_continuity", "component_health")
    found = words.track(plan({}, guards=dict.fromkeys(names, off)))
    assert found.counts == "1 guard"
    assert found.gates == []
    assert any("turned off (There is no telemetry.)" in text for text in found.guards)


def test_the_built_in_plans_say_when_a_person_is_asked() -> None:
    found = words.track(builtin_plan("standard"))
    assert [phase.is_manual for phase in found.phases] == [False, False, True]
    assert [phase.observe for phase in found.phases] == ["15 min", "30 min", "1 h"]
