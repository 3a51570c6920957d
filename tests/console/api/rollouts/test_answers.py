"""The shape that scripts rely on (spec section 7)."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from agents.models import ConfigStatus
from console.api.rollouts.answers import events_of, rollout_view
from rollouts.models import Rollout, Target
from tests.make.speech import connect, report
from tests.rollouts.fleet import Fleet, phases_of, state_of

pytestmark = pytest.mark.django_db


def view(rollout: Rollout, fleet: Fleet) -> Any:
    return rollout_view(Rollout.objects.for_detail().get(pk=rollout.pk), fleet.now)


def test_a_running_rollout_has_the_promised_fields() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    fleet.run(8)
    found = view(rollout, fleet)
    promised = {
        "id", "number", "state", "revision", "why", "config", "version", "config_hash", "selector",
        "phases", "counts", "url",
    }  # fmt: skip
    assert promised <= found.keys()
    phase = found["phases"][0]
    assert {
        key: phase[key] for key in ("name", "state", "weight", "manual", "members", "confirmed")
    } == {
        "name": "canary",
        "state": "observing",
        "weight": 0.1,
        "manual": False,
        "members": 2,
        "confirmed": 2,
    }
    gate = phase["gates"][0]
    assert (gate["metric"], gate["value"], gate["threshold"], gate["verdict"]) == (
        "failure_rate",
        0.0,
        0.1,
        "pass",
    )


def test_the_counts_add_up() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    # Of the last phase, whose quorum it does not break.
    target = Target.objects.filter(rollout=rollout).select_related("agent").latest("phase__index")
    connect(target.agent, connected=False)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    counts = view(rollout, fleet)["counts"]
    assert counts["targets"] == counts["on_new"] + counts["on_previous"] == 20
    assert counts["offline"] == 1


def test_each_way_to_fail_is_counted_apart() -> None:
    fleet = Fleet(20)
    one = {"name": "all", "phases": [{"weight": "100%", "duration": "10m"}], "lost_after": "5s"}
    rollout = fleet.start(one)
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    report(fleet.agents[0], fleet.v1.config_hash, at=fleet.now)
    connect(fleet.agents[1], connected=False, at=fleet.now)
    fleet.run(8)
    found = view(rollout, fleet)
    kinds = ("on_new", "failed", "refused", "timed_out", "fell_back", "lost", "unhealthy")
    told = {"on_new": 18, "failed": 2, "fell_back": 1, "lost": 1}
    for counts in (found["counts"], found["phases"][0]):
        assert {kind: counts[kind] for kind in kinds} == {**dict.fromkeys(kinds, 0), **told}
    [floor] = [gate for gate in found["phases"][0]["gates"] if gate["kind"] == "floor"]
    assert floor["sentence"] == (
        "2 of 20 agents failed (1 fell back by itself, 1 lost since the change); at most 2 may."
    )


def test_who_refused_stays_counted_after_the_way_back() -> None:
    fleet = Fleet(20)
    rollout = fleet.start({"name": "all", "phases": [{"weight": "100%", "duration": "10m"}]})
    refusing = {agent.pk for agent in fleet.agents[:3]}
    fleet.answer = lambda agent, config_hash: (
        ConfigStatus.FAILED
        if agent.pk in refusing and config_hash == fleet.v2.config_hash
        else ConfigStatus.APPLIED
    )
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    found = view(rollout, fleet)
    for counts in (found["counts"], found["phases"][0]):
        told = (counts["failed"], counts["refused"], counts["rolled_back"])
        assert told == (3, 3, 20)


def test_a_phase_that_passed_keeps_the_readings_of_its_end() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "passed")
    assert view(rollout, fleet)["phases"][0]["gates"][0]["verdict"] == "pass"


def test_events_can_be_paged_by_their_number() -> None:
    fleet = Fleet(5)
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    events = events_of(rollout)
    assert events_of(rollout, after_seq=events[1]["seq"], limit=2) == events[2:4]
    assert {"seq", "at", "actor", "act", "from", "to", "reason", "inputs"} <= events[0].keys()


def test_a_view_costs_the_same_for_few_and_many_agents(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    fleet = Fleet(30)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    read = Rollout.objects.for_detail().get(pk=rollout.pk)
    with django_assert_max_num_queries(8):
        rollout_view(read, fleet.now)
