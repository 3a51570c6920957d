"""What a rollback by selector would do is counted first, and only that is done."""

from __future__ import annotations

import pytest

from agents.models import Agent
from console.lib.problems import Missing, Stale
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.models import Rollback, Rollout
from rollouts.rollback.preview import Move, WaysPreview, counted, preview
from rollouts.rollback.targets import NO_VERSION, WayBack
from tests.make.agents import make_collector
from tests.rollouts.fleet import Fleet
from tests.rollouts.rollback.test_by_selector import back, on_version_two

OLD, MID, NEW = "1" * 64, "2" * 64, "3" * 64


def summed(ways: list[WayBack], **environments: str) -> WaysPreview:
    found = {way.agent_id: environments.get(f"a{way.agent_id}", "") for way in ways}
    return counted("*", found, ways, {})


def test_ways_are_summed_up_by_what_they_lead_from_and_to() -> None:
    ways = [WayBack(n, NEW, MID) for n in range(3)] + [WayBack(9, NEW, OLD)]
    found = summed(ways)
    assert found.moves == (Move(3, NEW, MID), Move(1, NEW, OLD))
    assert found.agents == 4


def test_who_has_no_way_is_counted_apart_with_the_reason() -> None:
    found = summed([WayBack(1, NEW, MID), WayBack(2, NEW, "", NO_VERSION)])
    assert found.agents == 1
    assert found.stranded == (Move(1, NEW, "", NO_VERSION),)


def test_other_ways_are_another_preview_though_the_number_is_the_same() -> None:
    one, other = summed([WayBack(1, NEW, MID)]), summed([WayBack(1, NEW, OLD)])
    assert one.agents == other.agents
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("agents", "env", "typed"),
    [(500, "staging", False), (501, "staging", True), (1, "prod", True), (1, "", False)],
)
def test_the_number_is_typed_above_500_agents_and_in_production(
    agents: int, env: str, typed: bool
) -> None:
    ways = [WayBack(n, NEW, MID) for n in range(agents)]
    assert summed(ways, a0=env).must_be_typed is typed


def seen(fleet: Fleet, selector: str = "*") -> WaysPreview:
    return preview(selector=selector, to="previous", config=None, by=fleet.operator)


def begin(fleet: Fleet, found: WaysPreview) -> Rollback:
    return rollback_selector(
        selector=found.selector,
        by=fleet.operator,
        reason="it hurts",
        seen_count=found.agents,
        seen_preview=found.digest,
        now=fleet.now,
    )


@pytest.mark.django_db
def test_what_was_counted_is_done() -> None:
    fleet = on_version_two()
    found = seen(fleet)
    assert found.moves == (Move(10, fleet.v2.config_hash, fleet.v1.config_hash),)
    rollback = begin(fleet, found)
    assert rollback.targets.exclude(to_hash="").count() == found.agents


@pytest.mark.django_db
def test_another_number_by_now_does_nothing() -> None:
    fleet = on_version_two()
    found = seen(fleet)
    Agent.objects.filter(pk=fleet.agents[0].pk).update(retired_at=fleet.now)
    with pytest.raises(Stale, match="9 agents would go back now, you saw 10") as stale:
        begin(fleet, found)
    assert stale.value.code == "count_changed"
    assert not Rollback.objects.exists()


@pytest.mark.django_db
def test_a_refused_count_leaves_the_rollouts_of_the_agents_alone() -> None:
    fleet = on_version_two()
    found = seen(fleet)
    states = list(Rollout.objects.values_list("pk", "state", "revision"))
    Agent.objects.filter(pk=fleet.agents[0].pk).update(retired_at=fleet.now)
    with pytest.raises(Stale):
        begin(fleet, found)
    assert list(Rollout.objects.values_list("pk", "state", "revision")) == states


@pytest.mark.django_db
def test_agents_that_come_back_already_are_counted_by_who_brings_them() -> None:
    fleet = on_version_two()
    rollback = back(fleet)
    found = seen(fleet)
    assert found.agents == 0
    assert found.held == {str(rollback): 10}


@pytest.mark.django_db
def test_an_agent_that_runs_nothing_stays() -> None:
    fleet = on_version_two()
    make_collector()
    found = seen(fleet)
    assert (found.matched, found.agents, found.stay) == (11, 10, 1)


@pytest.mark.django_db
def test_a_version_that_is_not_there_is_said() -> None:
    fleet = on_version_two()
    with pytest.raises(Missing):
        preview(selector="*", to=9, config=fleet.v2.config.name, by=fleet.operator)
