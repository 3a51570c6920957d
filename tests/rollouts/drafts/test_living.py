"""Canaries are drawn from the living: pods under new ids leave their dead behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agents.models import AgentStatus, Quarantine
from console.lib.problems import Stale
from rollouts.actions.start import start
from rollouts.drafts.preview import Preview, preview
from rollouts.models import Event, Rollout, Target
from tests.make.agents import make_collector
from tests.make.speech import connect
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, phases_of, state_of

pytestmark = pytest.mark.django_db

HALF_OF_THE_FLEET: dict[str, Any] = {
    "name": "half",
    "promote_rest": False,
    "phases": [
        {"name": "canary", "weight": "10%", "duration": "10s"},
        {"name": "half", "weight": "50%", "duration": "10s"},
    ],
}


def pods(living: int, dead: int) -> Fleet:
    """Return a fleet whose pods came again under new ids; the former ones are rows only."""
    fleet = Fleet(living)
    for _ in range(dead):
        make_collector({"env": "prod"}, connected=False, running_hash=fleet.v1.config_hash)
    return fleet


def counted(fleet: Fleet, plan: dict[str, Any], seed: str = "s") -> Preview:
    return preview(
        config="edge", version=2, selector="*", seed=seed, now=fleet.now, plan=plan, spread_label=""
    )


def connected(agent_ids: tuple[int, ...]) -> int:
    return AgentStatus.objects.filter(agent__in=agent_ids, connected=True).count()


@pytest.mark.parametrize("seed", [str(n) for n in range(12)])
def test_a_canary_is_never_drawn_dead(seed: str) -> None:
    fleet = pods(10, 10)
    canary, everyone = counted(fleet, CANARY_THEN_ALL, seed).phases
    assert connected(canary.new) == len(canary.new) == 1  # of ten that can be members, not twenty
    assert (len(everyone.new), everyone.away) == (19, 10)
    # Those who can take it come first; the away are at the end of the last wave.
    assert connected(everyone.new[:9]) == 9


def test_the_away_are_counted_by_reason_and_wait_for_the_last_wave() -> None:
    fleet = pods(10, 5)
    found = counted(fleet, CANARY_THEN_ALL).to_dict()
    [waits] = found["waits"]
    assert (waits["reason"], waits["count"], len(waits["samples"])) == ("away", 5, 5)
    assert (found["matched"], found["eligible"], found["excluded"]) == (15, 15, [])
    assert [phase["away"] for phase in found["phases"]] == [0, 5]


def test_a_last_phase_below_everybody_leaves_them_to_the_rest() -> None:
    fleet = pods(10, 10)
    found = counted(fleet, {**HALF_OF_THE_FLEET, "promote_rest": True})
    assert [len(phase.new) for phase in found.phases] == [1, 4]
    assert all(phase.away == 0 for phase in found.phases)
    assert connected(found.rest) == 5
    assert len(found.rest) == 15
    assert found.waits[0].count == 10


def test_a_plan_that_never_reaches_them_leaves_them_out() -> None:
    found = counted(pods(10, 10), HALF_OF_THE_FLEET)
    assert [len(phase.new) for phase in found.phases] == [1, 4]
    assert {one.reason.value: one.count for one in found.excluded} == {"away": 10}
    assert (found.matched, found.eligible, found.waits) == (20, 10, ())


def test_a_spread_stays_a_spread_among_the_living() -> None:
    fleet = Fleet(0)
    for region in ["eu"] * 6 + ["us"] * 6:
        make_collector({"region": region}, running_hash=fleet.v1.config_hash)
        make_collector({"region": region}, connected=False, running_hash=fleet.v1.config_hash)
    plan = {**CANARY_THEN_ALL, "phases": [*CANARY_THEN_ALL["phases"]]}
    plan["phases"][0] = {**plan["phases"][0], "weight": "34%"}
    found = preview(
        config="edge",
        version=2,
        selector="*",
        seed="s",
        now=fleet.now,
        plan=plan,
        spread_label="region",
    )
    assert connected(found.phases[0].new) == len(found.phases[0].new)
    assert max(found.phases[0].split.values()) - min(found.phases[0].split.values()) <= 1


def test_half_a_fleet_of_dead_pods_ends_well() -> None:
    fleet = pods(10, 10)
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    new = AgentStatus.objects.filter(running_hash=fleet.v2.config_hash)
    assert new.count() == new.filter(connected=True).count() == 10


def canaries(rollout: Rollout) -> list[int]:
    found = Target.objects.filter(rollout=rollout, phase__index=0).order_by("position")
    return list(found.values_list("agent_id", flat=True))


def let_go(fleet: Fleet, agent_ids: list[int]) -> None:
    for agent in fleet.agents:
        if agent.pk in agent_ids:
            connect(agent, connected=False, at=fleet.now)


def test_a_canary_that_went_away_asks_again_in_a_small_fleet() -> None:
    fleet = Fleet(20)
    rollout = fleet.draft()
    let_go(fleet, canaries(rollout)[:1])
    with pytest.raises(Stale, match="1 members of its first phases are away"):
        start(rollout_id=rollout.pk, by=fleet.operator, now=fleet.now)
    assert state_of(rollout) == "draft"
    fresh = preview(
        config="edge",
        version=2,
        selector="*",
        seed=rollout.seed,
        now=fleet.now,
        plan=CANARY_THEN_ALL,
    )
    start(rollout_id=rollout.pk, by=fleet.operator, seen_preview=fresh.digest, now=fleet.now)
    assert tuple(canaries(rollout)) == fresh.phases[0].new


def test_few_of_many_are_replaced_and_the_timeline_says_so() -> None:
    fleet = Fleet(120)
    rollout = fleet.draft()
    gone = canaries(rollout)[:1]
    let_go(fleet, gone)
    start(rollout_id=rollout.pk, by=fleet.operator, now=fleet.now)
    drawn = canaries(rollout)
    assert gone[0] not in drawn
    assert len(drawn) == 12  # ten percent of the 119 that are left
    assert Target.objects.get(rollout=rollout, agent=gone[0]).phase.name == "all"
    assert Event.objects.get(rollout=rollout, act="redrawn").inputs == {"agents": 1}


def test_a_scheduled_rollout_draws_again_at_its_time() -> None:
    fleet = Fleet(20)
    rollout = fleet.draft(start_at=fleet.now + timedelta(minutes=10))
    start(rollout_id=rollout.pk, by=fleet.operator, now=fleet.now)
    gone = canaries(rollout)
    let_go(fleet, gone)
    fleet.run_until(lambda: state_of(rollout) == "running", seconds=900)
    assert not set(gone) & set(canaries(rollout))
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    assert phases_of(rollout) == ["passed", "passed"]


def test_nothing_is_drawn_again_when_everybody_is_there() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    assert not Event.objects.filter(rollout=rollout, act="redrawn").exists()
    assert not Quarantine.objects.exists()
