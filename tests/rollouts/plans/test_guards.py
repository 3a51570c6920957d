from __future__ import annotations

from typing import Any

import pytest

from console.lib.problems import Invalid
from rollouts.analysis.specs import gates_of
from rollouts.plans.builtin import NAMES, builtin_plan
from rollouts.plans.guards import DEFAULTS, default_guards
from rollouts.plans.parse import plan_from_data
from rollouts.plans.plan import Plan


def plan(**more: Any) -> Plan:
    phases = [{"name": "all", "weight": "100%", "duration": "1m"}]
    return plan_from_data({"name": "p", "phases": phases, **more})


def watched(found: Plan) -> set[str]:
    return {spec.gate for spec in gates_of(found, found.phases[0]) if spec.is_default}


ALL = {f"threshold:{guard.metric}@default" for guard in DEFAULTS.values()}


def test_every_plan_has_them() -> None:
    assert watched(plan()) == ALL
    for name in NAMES:
        found = builtin_plan(name)
        own = {threshold.metric for threshold in found.thresholds}
        assert {f"threshold:{metric}" for metric in own} <= {
            spec.gate for spec in gates_of(found, found.phases[0])
        }
        assert "threshold:data_continuity@default" in watched(found)


def test_a_plan_changes_a_limit() -> None:
    found = {
        name: levels
        for name, levels, _ in default_guards(plan(guards={"failures": {"critical": "40%"}}))
    }
    assert (found["failures"].warning, found["failures"].critical) == (0.05, 0.4)


def test_a_plan_turns_one_off_with_a_reason_and_it_stays_listed() -> None:
    off = {"data_continuity": {"enabled": False, "reason": "drops debug logs"}}
    found = Plan.from_dict(plan(guards=off).to_dict())
    assert watched(found) == ALL - {"threshold:data_continuity@default"}
    listed = {name: choice.reason for name, _, choice in default_guards(found)}
    assert listed["data_continuity"] == "drops debug logs"


@pytest.mark.parametrize(
    ("guards", "words"),
    [
        ({"failures": {"enabled": False}}, "without a reason"),
        ({"failurs": {}}, "did you mean failures"),
        ({"failures": {"limit": 1}}, "not a known key"),
        ({"failures": {"critical": "often"}}, "critical"),
    ],
)
def test_what_is_wrong_is_refused(guards: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        plan(guards=guards)


def test_a_plan_without_them_is_one_from_before() -> None:
    data = plan().to_dict()
    del data["guards"], data["health"]
    assert watched(Plan.from_dict(data)) == ALL
