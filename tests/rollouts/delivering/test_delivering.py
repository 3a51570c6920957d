"""Deliveries as agents really give them (interop.md): late, silent, failing, away, unwell."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.models import Agent, ConfigStatus, Delivery, Quarantine
from rollouts.actions.rollback import rollback_rollout
from rollouts.models import Rollout, Target
from tests.make.speech import connect, feel, report, send
from tests.rollouts.fleet import ALL_AT_ONCE, CANARY_THEN_ALL, Fleet, phases_of, state_of, why_of

pytestmark = pytest.mark.django_db


# What went too far is stopped, not taken back, so that the targets can be looked at.
HELD = {**ALL_AT_ONCE, "rollback": {"enabled": False}}


def silent(agent: Agent, config_hash: str) -> None:
    return None


def states(rollout: Rollout) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Target.objects.filter(rollout=rollout).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_no_more_than_max_in_flight_are_sent_before_words_come() -> None:
    fleet = Fleet(10)
    fleet.answer = silent
    rollout = fleet.start({**ALL_AT_ONCE, "max_in_flight": 3})
    fleet.run(5)
    assert states(rollout) == {"offered": 3, "waiting": 7}


def test_applied_five_seconds_later_is_normal() -> None:
    fleet = Fleet(4)
    fleet.answer = silent
    rollout = fleet.start(ALL_AT_ONCE)
    fleet.run(5)
    fleet.answer = lambda agent, config_hash: ConfigStatus.APPLIED
    fleet.run_until(lambda: state_of(rollout) == "succeeded")


def test_an_acknowledgement_is_not_counted() -> None:
    fleet = Fleet(1)
    fleet.answer = lambda agent, config_hash: ConfigStatus.APPLYING
    rollout = fleet.start(ALL_AT_ONCE)
    fleet.run(5)
    assert states(rollout) == {"offered": 1}
    assert "0 of 1 run v2 now" in why_of(rollout)


def test_silence_is_a_time_out() -> None:
    fleet = Fleet(1)
    fleet.answer = silent
    rollout = fleet.start(HELD)
    fleet.run(40)
    assert states(rollout) == {"timed_out": 1}
    assert Delivery.objects.filter(state="timed_out").count() == 1


def test_a_late_word_replaces_a_time_out() -> None:
    fleet = Fleet(1)
    fleet.answer = silent
    rollout = fleet.start(HELD)
    fleet.run(40)
    report(fleet.agents[0], fleet.v2.config_hash, at=fleet.now)
    fleet.run(3)
    assert states(rollout) == {"applied": 1}


def test_a_later_healthy_never_undoes_a_refusal() -> None:
    fleet = Fleet(10)
    rollout = fleet.start(HELD)
    fleet.answer = lambda agent, config_hash: ConfigStatus.FAILED
    fleet.run(3)
    for agent in fleet.agents:
        feel(agent, True, at=fleet.now)
        report(agent, fleet.v1.config_hash, at=fleet.now)
    fleet.run(3)
    assert states(rollout) == {"failed": 10}


def test_a_refusal_after_applied_counts() -> None:
    fleet = Fleet(1)
    rollout = fleet.start(HELD)
    fleet.run(3)
    later = fleet.now + timedelta(seconds=1)
    report(fleet.agents[0], fleet.v2.config_hash, ConfigStatus.FAILED, error="crash", at=later)
    fleet.run(2)
    assert states(rollout) == {"failed": 1}
    assert Target.objects.get().error == "crash"


def test_bad_health_counts_only_after_its_grace() -> None:
    fleet = Fleet(1)
    rollout = fleet.start({**HELD, "health_grace": "15s"})
    fleet.run(2)
    feel(fleet.agents[0], False, at=fleet.now)
    fleet.run(5)
    assert rollout.phases.get().counts["unhealthy"] == 0
    fleet.run(15)
    assert rollout.phases.get().counts["unhealthy"] == 1


def test_a_breach_in_a_long_phase_acts_within_seconds() -> None:
    fleet = Fleet(10)
    long = {"name": "all", "weight": "100%", "duration": "2h"}
    guards = {"failure_rate": {"critical": "20%"}}
    rollout = fleet.start({**ALL_AT_ONCE, "phases": [long], "thresholds": guards})
    fleet.run(110)
    assert phases_of(rollout) == ["observing"]
    for agent in fleet.agents[:5]:
        feel(agent, False, at=fleet.now)
    broken = fleet.now
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    # 15 s are the grace of health.
    assert fleet.now - broken < timedelta(seconds=25)


def test_health_that_comes_back_within_the_grace_never_counts() -> None:
    fleet = Fleet(1)
    rollout = fleet.start({**ALL_AT_ONCE, "health_grace": "15s"})
    fleet.run(2)
    feel(fleet.agents[0], False, at=fleet.now)
    fleet.run(5)
    feel(fleet.agents[0], True, at=fleet.now)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")


def test_bad_health_from_before_is_not_held_against_the_rollout() -> None:
    fleet = Fleet(2)
    feel(fleet.agents[0], False)
    rollout = fleet.start(ALL_AT_ONCE)
    fleet.run(25)
    assert rollout.phases.get().counts["unhealthy"] == 0


def test_offline_agents_do_not_block_a_phase_with_quorum() -> None:
    fleet = Fleet(20)
    connect(fleet.agents[0], connected=False)
    rollout = fleet.start(ALL_AT_ONCE)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    assert "1 agent offline; it gets it on return." in why_of(rollout)


def test_without_quorum_a_phase_holds_and_says_how_many_are_missing() -> None:
    fleet = Fleet(10)
    rollout = fleet.start({**ALL_AT_ONCE, "max_in_flight": 1})
    for agent in fleet.agents[:3]:
        connect(agent, connected=False)
    fleet.run(60)
    assert phases_of(rollout) == ["deploying"]
    assert "of all, 7 of 10 run v2 now; 90 % are needed; 3 offline" in why_of(rollout)


def test_a_returning_agent_is_caught_up_while_the_rollout_runs() -> None:
    fleet = Fleet(20)
    away = fleet.agents[0]
    connect(away, connected=False)
    rollout = fleet.start({**ALL_AT_ONCE, "bake": "60s"})
    fleet.run_until(lambda: state_of(rollout) == "completing")
    connect(away, at=fleet.now)
    fleet.run(10)
    assert states(rollout) == {"applied": 20}


def test_an_agent_that_returns_after_the_end_gets_the_version() -> None:
    fleet = Fleet(20)
    away = fleet.agents[0]
    connect(away, connected=False)
    rollout = fleet.start(ALL_AT_ONCE)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    connect(away, at=fleet.now)
    fleet.run(15)
    assert states(rollout) == {"applied": 20}


def test_an_agent_that_vanished_with_the_config_times_out() -> None:
    fleet = Fleet(10)
    fleet.answer = lambda agent, config_hash: (
        None if agent.pk == fleet.agents[0].pk else ConfigStatus.APPLIED
    )
    rollout = fleet.start(ALL_AT_ONCE)
    send(fleet.agents[0], fleet.now)
    connect(fleet.agents[0], connected=False, at=fleet.now)
    fleet.run(35)
    assert states(rollout) == {"applied": 9, "timed_out": 1}


def test_an_agent_that_vanished_before_anything_was_sent_just_waits() -> None:
    fleet = Fleet(10)
    fleet.answer = lambda agent, config_hash: (
        None if agent.pk == fleet.agents[0].pk else ConfigStatus.APPLIED
    )
    rollout = fleet.start(ALL_AT_ONCE)
    connect(fleet.agents[0], connected=False, at=fleet.now)
    fleet.run(35)
    assert states(rollout) == {"applied": 9, "offered": 1}
    assert rollout.phases.get().counts["offline"] == 1


def test_an_agent_that_runs_it_already_is_left_out() -> None:
    fleet = Fleet(3)
    agent = fleet.agents[0]
    report(agent, fleet.v2.config_hash)
    rollout = fleet.start(ALL_AT_ONCE)
    assert Target.objects.filter(rollout=rollout).count() == 2


def test_an_agent_that_turned_out_to_run_it_needs_no_word() -> None:
    fleet = Fleet(3)
    rollout = fleet.draft(ALL_AT_ONCE)
    report(fleet.agents[0], fleet.v2.config_hash)
    fleet.answer = silent
    _start(fleet, rollout)
    assert Target.objects.get(agent=fleet.agents[0]).state == "applied"


def _start(fleet: Fleet, rollout: Rollout) -> None:
    # Quarantine or news between draft and start: the preview is the plan, so targets stay.
    Rollout.objects.filter(pk=rollout.pk).update(state="scheduled", next_tick_at=fleet.now)
    fleet.tick()


def test_an_agent_quarantined_after_the_draft_is_skipped() -> None:
    fleet = Fleet(3)
    rollout = fleet.draft(ALL_AT_ONCE)
    Quarantine.objects.create(
        agent=fleet.agents[0],
        config_hash=fleet.v2.config_hash,
        outcome="by_hand",
        by="wei",
        at=fleet.now,
    )
    _start(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    assert states(rollout) == {"applied": 2, "skipped": 1}


def test_a_version_quarantined_meanwhile_is_never_called_good_for_lack_of_agents() -> None:
    fleet = Fleet(10)
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    Quarantine.objects.create(
        config_hash=fleet.v2.config_hash, outcome="by_hand", by="wei", at=fleet.now
    )
    fleet.run(60)
    assert phases_of(rollout) == ["passed", "deploying"]
    assert "no agent is left in all. 9 agents skipped" in why_of(rollout)


# Time


def test_a_worker_that_was_away_for_an_hour_skips_nothing() -> None:
    fleet = Fleet(10)
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    fleet.now += timedelta(hours=1)
    fleet.tick()
    assert phases_of(rollout) == ["observing", "pending"]


def test_watched_time_is_what_was_really_watched() -> None:
    long = {**ALL_AT_ONCE, "phases": [{"name": "all", "weight": "100%", "duration": "10m"}]}
    fleet = Fleet(2)
    rollout = fleet.start(long)
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    fleet.now += timedelta(hours=1)
    fleet.tick()
    assert rollout.phases.get().observed_s <= 20


def test_deadlines_move_on_by_the_time_nobody_looked() -> None:
    fleet = Fleet(2)
    fleet.answer = silent
    rollout = fleet.start(HELD)
    fleet.now += timedelta(hours=1)
    fleet.tick()
    assert states(rollout) == {"offered": 2}
    fleet.run(40)
    assert states(rollout) == {"timed_out": 2}


def test_a_clock_that_steps_back_takes_nothing_away() -> None:
    fleet = Fleet(2)
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    fleet.run(5)
    before = rollout.phases.get(index=0).observed_s
    fleet.now -= timedelta(minutes=4)
    fleet.tick()
    assert rollout.phases.get(index=0).observed_s == before


def test_guards_watch_on_after_the_clock_was_set_back() -> None:
    fleet = Fleet(10)
    guarded = {**ALL_AT_ONCE, "thresholds": {"failure_rate": {"critical": "5%"}}}
    rollout = fleet.start({**guarded, "phases": [{"weight": "100%", "duration": "5m"}]})
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    fleet.run(60)
    fleet.now -= timedelta(hours=1)
    connected = fleet.agents[0]
    report(connected, fleet.v2.config_hash, ConfigStatus.FAILED, error="x", at=fleet.now)
    Target.objects.filter(agent=connected).update(state="failed")
    fleet.run(90)
    assert state_of(rollout) == "rolled_back"


def test_silence_is_a_time_out_after_the_clock_was_set_back_too() -> None:
    fleet = Fleet(2)
    fleet.answer = silent
    rollout = fleet.start(HELD)
    fleet.run(5)
    fleet.now -= timedelta(hours=1)
    fleet.run(60)
    assert states(rollout) == {"timed_out": 2}


def test_a_rollback_goes_on_after_the_clock_was_set_back() -> None:
    fleet = Fleet(4)
    rollout = fleet.start(ALL_AT_ONCE)
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    fleet.answer = silent
    rollback_rollout(rollout_id=rollout.pk, by=fleet.operator, reason="no", now=fleet.now)
    fleet.run(5)
    fleet.now -= timedelta(hours=1)
    fleet.run(60)
    assert state_of(rollout) == "rollback_incomplete"
