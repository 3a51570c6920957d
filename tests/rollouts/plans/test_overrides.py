"""What one rollout does otherwise than its plan."""

from __future__ import annotations

from typing import Any

import pytest

from console.lib.problems import Invalid
from rollouts.plans.overrides import KEYS, with_overrides
from rollouts.plans.parse import plan_from_data
from rollouts.plans.plan import OnNoData, Plan, RollbackMethod

PHASES = [
    {"name": "a", "weight": "10%", "duration": "1m", "quorum": "50%"},
    {"name": "b", "weight": "100%", "duration": "1m"},
]


@pytest.fixture
def plan() -> Plan:
    return plan_from_data({"name": "p", "phases": PHASES})


def test_what_a_plan_leaves_out_is_as_the_plan_type_says(plan: Plan) -> None:
    assert plan == Plan("p", plan.phases)
    assert plan.phases[1].pace == plan.pace


def test_nothing_given_changes_nothing(plan: Plan) -> None:
    assert with_overrides(plan, {}) == plan


def test_each_key_changes_plan_and_phases(plan: Plan) -> None:
    given = {
        "max_in_flight": 7,
        "on_no_data": "fail",
        "apply_timeout": "1m",
        "health_grace": "2s",
        "quorum": "70%",
        "tolerated_failures": "0%",
        "lost_after": "30s",
        "min_samples": 4,
        "bake": "1h",
        "promote_rest": False,
        "offline": None,
        "rollback": {"enabled": False, "method": "gradual"},
    }
    assert set(given) == set(KEYS)
    changed = with_overrides(plan, given)
    for pace in (changed.pace, *(phase.pace for phase in changed.phases)):
        assert (pace.max_in_flight, pace.on_no_data) == (7, OnNoData.FAIL)
        assert (pace.apply_timeout_s, pace.health_grace_s) == (60.0, 2.0)
        assert (pace.quorum, pace.min_samples) == (0.7, 4)
        assert (pace.tolerated_failures, pace.lost_after_s) == (0.0, 30.0)
    assert (changed.bake_s, changed.promote_rest) == (3600.0, False)
    assert changed.offline_exclude_after_s is None
    assert not changed.rollback.enabled
    assert changed.rollback.strategy.method is RollbackMethod.GRADUAL


def test_a_phase_keeps_what_is_not_overridden(plan: Plan) -> None:
    changed = with_overrides(plan, {"min_samples": 9, "offline": "2h"})
    assert [phase.pace.quorum for phase in changed.phases] == [0.5, 0.9]
    assert changed.offline_exclude_after_s == 7200.0


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({"speed": 1}, ["overrides.speed"]),
        ({"quorum": "0%", "bake": "15"}, ["overrides.quorum", "overrides.bake"]),
        ({"rollback": {"on": True}}, ["overrides.rollback.on"]),
        ({"rollback": True}, ["overrides.rollback"]),
        ({"min_agents": 3}, ["overrides.min_agents"]),
        ({"offline": "never"}, ["overrides.offline"]),
    ],
)
def test_every_wrong_key_is_named_once(plan: Plan, given: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        with_overrides(plan, given)
    assert sorted(error.path for error in refused.value.errors) == sorted(paths)
