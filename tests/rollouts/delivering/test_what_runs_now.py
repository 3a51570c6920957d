"""What members run now decides, not the best word they ever gave (spec section 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agents.models import Agent, ConfigStatus, Delivery, GatewayLease, Quarantine
from agents.opamp.shown_config import SOURCE
from console.api.rollouts.answers import phase_view
from console.pages.rollouts.phases import counts_of, notes_of
from console.words.events import line
from rollouts.models import Event, Phase, Rollout, Target
from tests.make.speech import connect, feel, lose_config, report
from tests.rollouts.delivering.test_delivering import silent, states
from tests.rollouts.fleet import ALL_AT_ONCE, Fleet, phases_of, state_of, why_of

pytestmark = pytest.mark.django_db

# No criterion, no threshold: only weights and durations.
LONG: dict[str, Any] = {
    **ALL_AT_ONCE,
    "phases": [{"name": "all", "weight": "100%", "duration": "10m"}],
}


def only(fleet: Fleet, number: int, status: ConfigStatus | None) -> None:
    """Let the first `number` agents answer so to the new version, all others apply."""
    first = {agent.pk for agent in fleet.agents[:number]}
    fleet.answer = lambda agent, config_hash: (
        status
        if agent.pk in first and config_hash == fleet.v2.config_hash
        else ConfigStatus.APPLIED
    )


def fall_back(fleet: Fleet, agent: Agent) -> None:
    report(agent, fleet.v1.config_hash, at=fleet.now)


def counts(rollout: Rollout) -> dict[str, int]:
    return dict(Phase.objects.get(rollout=rollout).counts)


def test_a_plan_without_criteria_comes_back_when_all_refuse() -> None:
    fleet = Fleet(20)
    only(fleet, 20, ConfigStatus.FAILED)
    rollout = fleet.start(LONG)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back", seconds=20)
    assert phases_of(rollout) == ["failed"]


def test_one_in_ten_may_fail() -> None:
    fleet = Fleet(10)
    only(fleet, 1, ConfigStatus.FAILED)
    rollout = fleet.start(ALL_AT_ONCE)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    assert "9 of 10 agents run v2; 1 refused" in why_of(rollout)


def test_a_canary_of_one_may_not_fail() -> None:
    fleet = Fleet(1)
    only(fleet, 1, ConfigStatus.FAILED)
    rollout = fleet.start({**LONG, "tolerated_failures": "100%"})
    fleet.run_until(lambda: state_of(rollout) == "rolled_back", seconds=20)


def test_without_rollback_the_floor_pauses() -> None:
    fleet = Fleet(4)
    only(fleet, 1, ConfigStatus.FAILED)
    rollout = fleet.start({**LONG, "rollback": {"enabled": False}})
    fleet.run_until(lambda: state_of(rollout) == "paused", seconds=20)
    assert "1 of 4 agents failed (1 refused)" in why_of(rollout)


def test_agents_that_fall_back_by_themselves_count_as_failed() -> None:
    fleet = Fleet(20)
    rollout = fleet.start({**LONG, "rollback": {"enabled": False}})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    fall_back(fleet, fleet.agents[0])
    fleet.run(2)
    assert states(rollout) == {"applied": 19, "fell_back": 1}
    assert str(Target.objects.get(state="fell_back").error) == "fell back to v1 by itself"
    assert counts(rollout)["on_new"] == 19
    for agent in fleet.agents[1:4]:
        fall_back(fleet, agent)
    fleet.run_until(lambda: state_of(rollout) == "paused", seconds=10)
    assert "4 fell back by themselves" in why_of(rollout)


def test_one_that_fell_back_and_runs_it_after_all_is_on_new_again() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(LONG)
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    agent = fleet.agents[0]
    fall_back(fleet, agent)
    fleet.run(2)
    feel(agent, False, at=fleet.now)
    report(agent, fleet.v2.config_hash, at=fleet.now)
    fleet.run(2)
    assert states(rollout) == {"applied": 19, "fell_back": 1}, "not while it is unhealthy"
    feel(agent, True, at=fleet.now)
    fleet.run(2)
    assert states(rollout) == {"applied": 20}


def test_what_is_wanted_otherwise_is_no_fall_back() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(LONG)
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    from_elsewhere = fleet.agents[0].desired
    from_elsewhere.config_hash = fleet.v1.config_hash
    from_elsewhere.save()
    fall_back(fleet, fleet.agents[0])
    fleet.run(2)
    assert "fell_back" not in states(rollout)


def test_agents_that_vanish_after_applied_are_no_evidence() -> None:
    fleet = Fleet(20)
    rollout = fleet.start({**LONG, "lost_after": "60s"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    for agent in fleet.agents[:5]:
        connect(agent, connected=False, at=fleet.now)
    fleet.run(30)
    assert (counts(rollout)["on_new"], counts(rollout)["gone"]) == (15, 5)
    assert phases_of(rollout) == ["observing"]
    fleet.run_until(lambda: state_of(rollout) == "rolling_back", seconds=40)


def test_a_phase_holds_while_too_many_are_gone_and_goes_on_when_they_are_back() -> None:
    fleet = Fleet(10)
    rollout = fleet.start({**ALL_AT_ONCE, "lost_after": "10m"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    for agent in fleet.agents[:2]:
        connect(agent, connected=False, at=fleet.now)
    fleet.run(30)
    assert phases_of(rollout) == ["observing"]
    assert "8 of 10 run v2 now; 90 % are needed; 2 not heard of now" in why_of(rollout)
    for agent in fleet.agents[:2]:
        connect(agent, at=fleet.now)
    fleet.run_until(lambda: state_of(rollout) == "succeeded", seconds=30)


def test_a_rollout_does_not_succeed_while_too_many_are_gone() -> None:
    fleet = Fleet(10)
    rollout = fleet.start({**ALL_AT_ONCE, "lost_after": "10m"})
    fleet.run_until(lambda: state_of(rollout) == "completing")
    for agent in fleet.agents[:2]:
        connect(agent, connected=False, at=fleet.now)
    fleet.run(30)
    assert state_of(rollout) == "completing"
    assert "8 of 10 run v2 now" in why_of(rollout)
    for agent in fleet.agents[:2]:
        connect(agent, at=fleet.now)
    fleet.run_until(lambda: state_of(rollout) == "succeeded", seconds=30)


def test_a_lost_agent_that_returns_with_the_version_counts_again() -> None:
    fleet = Fleet(20)
    rollout = fleet.start({**LONG, "lost_after": "10s"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    agent = fleet.agents[0]
    connect(agent, connected=False, at=fleet.now)
    fleet.run(15)
    assert states(rollout) == {"applied": 19, "lost": 1}
    connect(agent, at=fleet.now)
    fleet.run(2)
    assert states(rollout) == {"applied": 20}


def test_one_that_returns_without_its_config_is_lost_until_it_has_it_again() -> None:
    fleet = Fleet(20)
    rollout = fleet.start({**LONG, "lost_after": "10s"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    agent = fleet.agents[0]
    report(agent, "", ConfigStatus.UNSET, at=fleet.now)
    fleet.run(3)
    assert counts(rollout)["on_new"] == 19
    fleet.run(10)
    assert states(rollout) == {"applied": 19, "lost": 1}
    assert "no such config" in str(Target.objects.get(state="lost").error)
    report(agent, fleet.v2.config_hash, at=fleet.now)
    fleet.run(2)
    assert states(rollout) == {"applied": 20}


def loses_and_gets_again(fleet: Fleet, agent: Agent) -> None:
    """Both between two looks: nobody sees it without the version."""
    lose_config(agent, at=fleet.now)
    report(agent, fleet.v2.config_hash, at=fleet.now)
    fleet.run(2)


def test_one_that_loses_its_config_again_and_again_is_lost_however_quickly_it_has_it_again() -> (
    None
):
    fleet = Fleet(20)
    rollout = fleet.start({**LONG, "lost_after": "10s"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    agent = fleet.agents[0]
    loses_and_gets_again(fleet, agent)
    assert states(rollout) == {"applied": 20}, "a pod without a volume may restart"
    loses_and_gets_again(fleet, agent)
    assert states(rollout) == {"applied": 19, "lost": 1}
    assert "again and again" in str(Target.objects.get(state="lost").error)
    fleet.run(25)
    assert states(rollout) == {"applied": 19, "lost": 1}
    fleet.run(20)
    assert states(rollout) == {"applied": 20}, "it has run it long enough"
    loses_and_gets_again(fleet, agent)
    assert states(rollout) == {"applied": 19, "lost": 1}


def test_who_only_shows_what_it_runs_is_counted_apart() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(LONG)
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    assert counts(rollout)["by_effective"] == 0
    shown = [agent.pk for agent in fleet.agents[:3]]
    theirs = Delivery.objects.filter(agent__in=shown, config_hash=fleet.v2.config_hash)
    theirs.update(confirmed_by=SOURCE)
    for agent in fleet.agents[:4]:
        feel(agent, True, at=fleet.now)
    fleet.run(2)
    assert counts(rollout)["by_effective"] == 3
    phase = Phase.objects.get(rollout=rollout)
    assert phase_view(phase, [])["confirmed_by_effective_config"] == 3
    assert notes_of(phase, phase.rollout, counts_of(phase)) == ["3 confirmed by effective config"]


def test_what_was_lost_before_the_offer_says_nothing_of_the_version() -> None:
    fleet = Fleet(20)
    for agent in fleet.agents:
        for _ in range(3):
            lose_config(agent, at=fleet.now)
        report(agent, fleet.v1.config_hash, at=fleet.now)
    rollout = fleet.start({**LONG, "lost_after": "10s"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    assert states(rollout) == {"applied": 20}


def test_a_version_is_not_quarantined_for_storage_that_is_lost() -> None:
    fleet = Fleet(4)
    rollout = fleet.start({**LONG, "lost_after": "10s"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    for _ in range(2):
        loses_and_gets_again(fleet, fleet.agents[0])
    fleet.run_until(lambda: state_of(rollout) == "rolled_back", seconds=20)
    assert not Quarantine.objects.filter(agent=None).exists()


def test_nobody_is_lost_who_has_no_gateway_to_come_back_to() -> None:
    fleet = Fleet(20)
    rollout = fleet.start({**LONG, "lost_after": "10s"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    GatewayLease.objects.update(stopped_at=fleet.now)
    for agent in fleet.agents:
        connect(agent, connected=False, at=fleet.now)
    fleet.run(40)
    assert state_of(rollout) == "running"
    assert counts(rollout)["on_new"] == 0
    GatewayLease.objects.update(stopped_at=None, started_at=fleet.now)
    fleet.run(5)
    for agent in fleet.agents:
        connect(agent, at=fleet.now)
    fleet.run(20)
    assert counts(rollout)["on_new"] == 20


def test_one_that_is_well_at_every_other_look_is_not_well() -> None:
    fleet = Fleet(20)
    rollout = fleet.start({**LONG, "health_grace": "5s", "tolerated_failures": "50%"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    fleet.run(6)
    agent = fleet.agents[0]
    for _ in range(6):
        feel(agent, False, at=fleet.now)
        fleet.run(2)
        assert counts(rollout)["unhealthy"] == 1
        feel(agent, True, at=fleet.now)
        fleet.run(4)
        assert counts(rollout)["unhealthy"] == 1
    fleet.run(20)
    assert counts(rollout)["unhealthy"] == 0


def test_while_most_refuse_nobody_says_that_they_did() -> None:
    fleet = Fleet(20)
    refusing = {agent.pk for agent in fleet.agents[:9]}
    quiet = {agent.pk for agent in fleet.agents[19:]}
    fleet.answer = lambda agent, config_hash: (
        ConfigStatus.FAILED
        if agent.pk in refusing
        else silent(agent, config_hash)
        if agent.pk in quiet
        else ConfigStatus.APPLIED
    )
    rollout = fleet.start({**LONG, "tolerated_failures": "90%"})
    fleet.run(3)
    said = why_of(rollout)
    assert said == "Waiting for 1 agent of all to answer: 10 of 20 run v2 now; 9 refused."


def test_a_failure_of_an_earlier_phase_is_not_forgotten() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    for target in Target.objects.filter(rollout=rollout).order_by("phase__index")[:3]:
        fall_back(fleet, target.agent)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back", seconds=20)


def test_lateness_does_not_outlive_a_clock_that_was_set_back() -> None:
    fleet = Fleet(20)
    rollout = fleet.start({**LONG, "lost_after": "20s"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    connect(fleet.agents[0], connected=False, at=fleet.now)
    fleet.run(3)
    fleet.now -= timedelta(hours=1)
    fleet.run(25)
    assert states(rollout) == {"applied": 19, "lost": 1}


def test_a_refusal_without_a_word_lists_its_agent() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(LONG)
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    report(fleet.agents[0], fleet.v2.config_hash, ConfigStatus.FAILED, at=fleet.now)
    fleet.run(2)
    assert str(Target.objects.get(state="failed").error) == "gave no reason"


def test_the_timeline_says_who_left_by_itself_and_who_was_lost() -> None:
    fleet = Fleet(20)
    rollout = fleet.start({**LONG, "lost_after": "5s"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    fall_back(fleet, fleet.agents[0])
    connect(fleet.agents[1], connected=False, at=fleet.now)
    fleet.run(8)
    said = {
        event.act: line(event).text
        for event in Event.objects.filter(rollout=rollout, act__in=["fell_back", "lost"])
    }
    assert said == {
        "fell_back": "1 agent fell back to another version by itself.",
        "lost": "1 agent was lost after the change.",
    }


def test_a_canary_that_refuses_does_not_wait_for_the_end_of_its_window() -> None:
    fleet = Fleet(40)
    rollout = fleet.start("standard")
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    canary = Target.objects.filter(rollout=rollout, phase__index=0).first()
    assert canary is not None
    report(canary.agent, fleet.v2.config_hash, ConfigStatus.FAILED, error="no", at=fleet.now)
    # One of four is over the floor; the window has 15 minutes.
    fleet.run_until(lambda: state_of(rollout) == "rolled_back", seconds=20)
