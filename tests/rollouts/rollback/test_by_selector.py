"""Rollbacks of agents chosen by a selector: previous, a version, a hash."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from agents.models import Agent, AgentStatus, ConfigStatus, Delivery, Quarantine
from console.lib.problems import Denied, Invalid, Missing, Refused
from rollouts.actions.rollback import rollback_rollout
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.models import Event, Rollback, RollbackTarget, Rollout, Target
from tests.make.agents import make_collector
from tests.make.configs import make_body, make_version
from tests.make.speech import connect, wanted_of
from tests.rollouts.fleet import Fleet, phases_of, state_of, why_of

pytestmark = pytest.mark.django_db


def on_version_two(agents: int = 10) -> Fleet:
    """A fleet that had version 1 delivered, then version 2."""
    fleet = Fleet(agents)
    for agent in fleet.agents:
        agent.status.running_hash = agent.status.config_hash = ""
        agent.status.save()
    for version in (1, 2):
        rollout = fleet.start(_plan(), version=version)
        fleet.run_until(partial(is_done, rollout))
    return fleet


def _plan() -> dict[str, object]:
    return {
        "name": "all",
        "phases": [{"name": "all", "weight": "100%", "duration": "1s"}],
        "bake": "1s",
    }


def back(fleet: Fleet, to: str | int = "previous", selector: str = "*", **more: Any) -> Rollback:
    return rollback_selector(
        selector=selector, to=to, by=fleet.operator, reason="it hurts", now=fleet.now, **more
    )


def is_done(rollout: Rollout) -> bool:
    return state_of(rollout) == "succeeded"


def done(rollback: Rollback) -> bool:
    return Rollback.objects.get(pk=rollback.pk).state != "running"


def test_previous_is_each_agents_own() -> None:
    fleet = on_version_two()
    rollback = back(fleet)
    fleet.run_until(lambda: done(rollback))
    assert fleet.running() == {fleet.v1.config_hash: 10}
    assert Rollback.objects.get().state == "succeeded"


def test_only_matching_agents_go_back() -> None:
    fleet = on_version_two(4)
    Agent.objects.filter(pk=fleet.agents[0].pk).update(labels={"env": "dev"})
    rollback = back(fleet, selector="env=dev")
    fleet.run_until(lambda: done(rollback))
    assert fleet.running() == {fleet.v1.config_hash: 1, fleet.v2.config_hash: 3}


def test_a_second_previous_does_not_return_to_what_was_rolled_back() -> None:
    fleet = on_version_two(2)
    rollback = back(fleet)
    fleet.run_until(lambda: done(rollback))
    with pytest.raises(Refused, match="history ends"):
        back(fleet)


def test_a_second_previous_while_the_first_is_under_way_is_refused() -> None:
    fleet = on_version_two(3)
    fleet.answer = lambda agent, config_hash: None
    rollback = back(fleet)
    for _ in range(2):  # before anything is sent, and while agents are silent
        with pytest.raises(Refused, match=f"way back already .rollback {rollback.pk}."):
            back(fleet)
        fleet.run(2)
    fleet.answer = lambda agent, config_hash: ConfigStatus.APPLIED
    fleet.run_until(lambda: done(rollback))
    assert fleet.running() == {fleet.v1.config_hash: 3}
    assert not Quarantine.objects.filter(config_hash=fleet.v1.config_hash).exists()


def test_agents_of_a_rollout_that_rolls_back_are_left_to_it() -> None:
    fleet = on_version_two(4)
    rollout = Rollout.objects.get(version=fleet.v2)
    rollback_rollout(rollout_id=rollout.pk, by=fleet.operator, reason="no", now=fleet.now)
    with pytest.raises(Refused, match=rollout.number):
        back(fleet)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")


def test_who_was_away_when_it_was_rolled_back_is_not_sent_to_the_bad_version_again() -> None:
    fleet = on_version_two(3)
    away = fleet.agents[0]
    connect(away, connected=False, at=fleet.now)
    rollback = back(fleet)
    fleet.run_until(lambda: done(rollback))
    with pytest.raises(Refused):
        back(fleet)
    assert wanted_of(away) == fleet.v1.config_hash
    connect(away, at=fleet.now)
    fleet.run(15)
    assert fleet.running() == {fleet.v1.config_hash: 3}
    assert not Quarantine.objects.filter(config_hash=fleet.v1.config_hash).exists()


def outsiders(fleet: Fleet, config_hash: str) -> None:
    """Let every agent run something that no delivery of ours brought."""
    AgentStatus.objects.update(running_hash=config_hash, config_hash=config_hash)


def after(fleet: Fleet, version: int) -> None:
    rollout = fleet.start(_plan(), version=version)
    fleet.run_until(partial(is_done, rollout))


def test_what_came_from_elsewhere_is_a_way_back_when_its_body_is_stored() -> None:
    fleet = Fleet(3)
    outsiders(fleet, make_body("# brought by hand\nreceivers: {}\n"))
    before = fleet.running()
    after(fleet, 2)
    rollback = back(fleet)
    fleet.run_until(lambda: done(rollback))
    assert fleet.running() == before


def test_a_previous_version_known_only_from_what_a_rollout_met_is_a_way_back() -> None:
    fleet = Fleet(3)  # on version 1 without a delivery, as at a first contact
    after(fleet, 2)
    rollback = back(fleet)
    fleet.run_until(lambda: done(rollback))
    assert fleet.running() == {fleet.v1.config_hash: 3}


def test_where_the_body_is_not_stored_the_last_completed_other_version_is_the_way_back() -> None:
    fleet = Fleet(3)
    after(fleet, 2)
    make_version()
    outsiders(fleet, "f" * 64)
    Delivery.objects.all().delete()
    Target.objects.all().delete()
    after(fleet, 3)
    rollback = back(fleet)
    fleet.run_until(lambda: done(rollback))
    assert fleet.running() == {fleet.v2.config_hash: 3}


def test_without_any_stored_version_before_nobody_is_touched() -> None:
    fleet = Fleet(3)
    outsiders(fleet, "f" * 64)
    after(fleet, 2)
    with pytest.raises(Refused, match="is not stored here"):
        back(fleet)
    assert fleet.running() == {fleet.v2.config_hash: 3}


def test_a_number_means_the_one_config_that_the_agents_run() -> None:
    fleet = on_version_two(2)
    rollback = back(fleet, 1)
    fleet.run_until(lambda: done(rollback))
    assert fleet.running() == {fleet.v1.config_hash: 2}


def test_a_number_needs_its_config_when_agents_run_several() -> None:
    fleet = on_version_two(2)
    other = make_version("other")
    AgentStatus.objects.filter(agent=fleet.agents[0]).update(running_hash=other.config_hash)
    with pytest.raises(Invalid, match="versions of edge, other"):
        back(fleet, 1)
    rollback = back(fleet, 1, config="edge")
    fleet.run_until(lambda: done(rollback))
    assert fleet.running() == {fleet.v1.config_hash: 2}


@pytest.mark.parametrize("prefix", ["", "sha256-"])
def test_a_version_by_hash(prefix: str) -> None:
    fleet = on_version_two(2)
    rollback = back(fleet, prefix + fleet.v1.config_hash)
    fleet.run_until(lambda: done(rollback))
    assert fleet.running() == {fleet.v1.config_hash: 2}


def test_a_hash_that_is_not_stored_is_missing() -> None:
    with pytest.raises(Missing, match="is stored here"):
        back(Fleet(1), "a" * 64)


def test_nonsense_is_explained() -> None:
    with pytest.raises(Invalid, match='not "previous"'):
        back(Fleet(1), "yesterday")


def test_agents_that_run_it_already_are_left_out() -> None:
    fleet = on_version_two(2)
    with pytest.raises(Refused, match="anything to go back to"):
        back(fleet, 2, config="edge")


def test_beyond_five_versions_is_a_clear_error() -> None:
    fleet = on_version_two(1)
    for number in range(3, 9):
        make_version()
        rollout = fleet.start(_plan(), version=number)
        fleet.run_until(partial(is_done, rollout))
    for _ in range(5):
        rollback = back(fleet)
        fleet.run_until(partial(done, rollback))
    with pytest.raises(Refused, match="limit of distinct versions"):
        back(fleet)


def test_agents_in_a_running_rollout_are_taken_out_and_it_pauses() -> None:
    fleet = on_version_two(10)
    make_version()
    rollout = fleet.start(version=3)
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    rollback = back(fleet)
    fleet.run_until(lambda: done(rollback))
    assert state_of(rollout) == "paused"
    assert "took 10 agents" in why_of(rollout)
    assert not Target.objects.filter(rollout=rollout, active=True).exists()


def test_what_was_rolled_back_is_quarantined_for_those_agents() -> None:
    fleet = on_version_two(3)
    back(fleet)
    kept = Quarantine.objects.filter(config_hash=fleet.v2.config_hash, lifted_at=None)
    assert kept.exclude(agent=None).count() == 3


def test_a_quarantined_hash_is_refused_as_goal() -> None:
    fleet = on_version_two(2)
    Quarantine.objects.create(
        config_hash=fleet.v1.config_hash, outcome="by_hand", by="wei", at=fleet.now, reason="leaks"
    )
    with pytest.raises(Refused, match="leaks"):
        back(fleet, 1, config="edge")


def test_agents_that_cannot_take_a_config_are_not_touched() -> None:
    fleet = on_version_two(1)
    reader = make_collector(capabilities=0x1, running_hash=make_body("a: 1\n"))
    back(fleet)
    assert wanted_of(reader) == ""
    assert RollbackTarget.objects.count() == 1


def test_a_gradual_one_goes_in_tenths() -> None:
    fleet = on_version_two(20)
    fleet.answer = lambda agent, config_hash: None
    back(fleet, method="gradual")
    fleet.run(3)
    assert RollbackTarget.objects.filter(state="offered").count() == 2


def test_a_failed_way_back_is_a_straggler() -> None:
    fleet = on_version_two(2)
    fleet.answer = lambda agent, config_hash: ConfigStatus.FAILED
    rollback = back(fleet)
    fleet.run_until(lambda: done(rollback))
    assert Rollback.objects.get().state == "incomplete"


def test_its_events_are_its_own() -> None:
    fleet = on_version_two(2)
    rollback = back(fleet)
    fleet.run_until(lambda: done(rollback))
    acts = Event.objects.filter(rollback=rollback, rollout=None).order_by("seq")
    assert list(acts.values_list("act", flat=True)) == [
        "roll_back",
        "rollback_wave",
        "rollback_done",
    ]


def test_an_author_may_not() -> None:
    fleet = on_version_two(1)
    with pytest.raises(Denied):
        rollback_selector(selector="*", by=fleet.author, reason="please", now=fleet.now)


def test_a_reason_is_needed() -> None:
    fleet = on_version_two(1)
    with pytest.raises(Invalid, match="needs a reason"):
        rollback_selector(selector="*", by=fleet.operator, reason=" ", now=fleet.now)
