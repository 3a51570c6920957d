"""Rollbacks of a rollout: in every phase, of every kind, interrupted and resumed."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from agents.models import Agent, ConfigStatus, Quarantine
from console.api.rollouts.answers import events_of
from console.lib.problems import Refused
from console.lib.texts import spoken
from console.words.incidents import incident_text
from console.words.times import exact_span
from rollouts.actions.abort import abort
from rollouts.actions.lift_quarantine import lift_one
from rollouts.actions.pause import pause
from rollouts.actions.rollback import rollback_rollout
from rollouts.engine.states import ROLLOUT_TABLE, RolloutState
from rollouts.models import Event, Rollback, RollbackTarget, Rollout, Target
from rollouts.rollback import waves
from tests.make.agents import make_collector
from tests.make.configs import make_version
from tests.make.speech import connect, wanted_of
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, manual, phases_of, state_of, why_of

pytestmark = pytest.mark.django_db

GRADUAL = {**CANARY_THEN_ALL, "rollback": {"strategy": {"method": "gradual"}}}


def back(fleet: Fleet, rollout: Rollout, **more: Any) -> Rollback:
    return rollback_rollout(
        rollout_id=rollout.pk, by=fleet.operator, reason="it hurts", now=fleet.now, **more
    )


def refuse(fleet: Fleet, version: str) -> None:
    """From now on agents refuse one hash and take any other."""
    fleet.answer = lambda agent, config_hash: (
        ConfigStatus.FAILED if config_hash == version else ConfigStatus.APPLIED
    )


@pytest.mark.parametrize("phase_states", [
    ["deploying", "pending"], ["observing", "pending"], ["passed", "deploying"],
    ["passed", "observing"], ["passed", "passed"],
], ids=" ".join)  # fmt: skip
def test_everyone_touched_goes_back_from_any_phase(phase_states: list[str]) -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    if phase_states[0] != "deploying":
        fleet.run_until(lambda: phases_of(rollout) == phase_states)
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert fleet.running() == {fleet.v1.config_hash: 20}


def test_a_paused_rollout_can_go_back() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    pause(rollout_id=rollout.pk, by=fleet.operator, now=fleet.now)
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert phases_of(rollout) == ["rolled_back", "skipped"]
    why = spoken(Rollout.objects.get(pk=rollout.pk).why)
    assert why["next"] == (
        "Reason: it hurts. v2 was quarantined: it is offered again only once a person has lifted that."
    )


def test_going_back_while_an_approval_waits_withdraws_it() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(manual(CANARY_THEN_ALL))
    fleet.run_until(lambda: phases_of(rollout)[1] == "awaiting_approval")
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    asked = Event.objects.filter(rollout=rollout, act="approval_withdrawn")
    assert asked.count() == 1


def test_a_succeeded_rollout_can_go_back_later() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert fleet.running() == {fleet.v1.config_hash: 20}


def test_an_aborted_rollout_can_go_back_later() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    abort(rollout_id=rollout.pk, by=fleet.operator, reason="enough", now=fleet.now)
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert fleet.running() == {fleet.v1.config_hash: 20}
    assert phases_of(rollout) == ["rolled_back", "skipped"]


def test_a_rollback_of_a_rollback_is_refused_and_explained() -> None:
    fleet = Fleet(10)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    with pytest.raises(Refused, match="lift its quarantine"):
        back(fleet, rollout)


def test_a_draft_has_nothing_to_roll_back() -> None:
    fleet = Fleet(10)
    with pytest.raises(Refused, match="never started"):
        back(fleet, fleet.draft())


def test_each_agent_returns_to_its_own_version() -> None:
    fleet = Fleet(5)
    for agent in fleet.agents[:2]:
        agent.status.running_hash = agent.status.config_hash = "f" * 64
        agent.status.save()
    Agent.objects.filter(pk=fleet.agents[0].pk).update(labels={"env": "prod"})
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rollback_incomplete")
    lost = RollbackTarget.objects.filter(state="no_version").values_list("agent", flat=True)
    assert set(lost) == {agent.pk for agent in fleet.agents[:2]}
    assert "no known-good version" in why_of(rollout)


def test_an_agent_without_config_before_gets_the_last_completed_version() -> None:
    fleet = Fleet(5)
    first = fleet.start(version=2)
    fleet.run_until(lambda: state_of(first) == "succeeded")
    fresh = make_collector({"env": "prod"})
    bad = make_version(author=fleet.author).number
    rollout = fleet.start(version=bad)
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert wanted_of(fresh) == fleet.v2.config_hash


def test_an_agent_whose_own_version_is_not_stored_gets_the_last_completed_version() -> None:
    fleet = Fleet(5)
    first = fleet.start(version=2)
    fleet.run_until(lambda: state_of(first) == "succeeded")
    alien = make_collector({"env": "prod"}, running_hash="f" * 64)
    bad = make_version(author=fleet.author).number
    rollout = fleet.start(version=bad)
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert wanted_of(alien) == fleet.v2.config_hash


def test_a_succeeded_rollout_falls_back_to_the_version_completed_before_it() -> None:
    fleet = Fleet(5)
    first = fleet.start(version=2)
    fleet.run_until(lambda: state_of(first) == "succeeded")
    fresh = make_collector({"env": "prod"})
    rollout = fleet.start(version=make_version(author=fleet.author).number)
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert wanted_of(fresh) == fleet.v2.config_hash


def test_an_agent_with_nothing_to_go_back_to_is_left_alone_and_listed() -> None:
    fleet = Fleet(0)
    alone = make_collector({"env": "prod"})
    refuse(fleet, fleet.v2.config_hash)
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "rollback_incomplete")
    assert wanted_of(alone) == ""
    assert str(RollbackTarget.objects.get().error) == "no known-good version"


def test_an_offline_agent_gets_its_way_back_when_it_returns() -> None:
    fleet = Fleet(10)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    connect(fleet.agents[3], connected=False, at=fleet.now)
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert "1 offline" in why_of(rollout)
    connect(fleet.agents[3], at=fleet.now)
    fleet.run(15)
    assert fleet.running() == {fleet.v1.config_hash: 10}
    assert "10 of 10 agents confirmed." in why_of(rollout)


def test_a_straggler_that_refuses_its_old_version_makes_it_incomplete() -> None:
    fleet = Fleet(10)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    stubborn = fleet.agents[0].pk
    fleet.answer = lambda agent, config_hash: (
        ConfigStatus.FAILED if agent.pk == stubborn else ConfigStatus.APPLIED
    )
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rollback_incomplete")
    assert list(RollbackTarget.objects.filter(state="failed").values_list("agent", flat=True)) == [
        stubborn
    ]


def test_a_silent_straggler_times_out_and_completes_the_rollback_when_it_speaks() -> None:
    fleet = Fleet(10)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    silent = fleet.agents[0].pk
    fleet.answer = lambda agent, config_hash: None if agent.pk == silent else ConfigStatus.APPLIED
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rollback_incomplete")
    fleet.answer = lambda agent, config_hash: ConfigStatus.APPLIED
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert Rollback.objects.count() == 1


def test_the_most_recent_phase_goes_back_first() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    back(fleet, rollout)
    canary = Target.objects.filter(phase__index=0).values_list("agent", flat=True)
    waves_of = dict(RollbackTarget.objects.values_list("agent", "wave"))
    assert {waves_of[pk] for pk in canary} == {2}
    assert set(waves_of.values()) == {1, 2}


def test_a_gradual_rollback_sends_a_tenth_and_waits_for_it() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(GRADUAL)
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    fleet.answer = lambda agent, config_hash: None
    back(fleet, rollout)
    fleet.run(5)
    assert RollbackTarget.objects.filter(state="offered").count() == 2
    fleet.answer = lambda agent, config_hash: ConfigStatus.APPLIED
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert Event.objects.filter(rollout=rollout, act="rollback_wave").count() == 10


def test_a_gradual_rollback_stops_at_a_batch_that_does_not_come_back() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(GRADUAL)
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    refuse(fleet, fleet.v1.config_hash)
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rollback_incomplete")
    states = list(RollbackTarget.objects.values_list("state", flat=True))
    assert (states.count("failed"), states.count("skipped")) == (2, 18)


def test_a_gradual_rollback_passes_over_a_batch_that_has_no_way_back() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(GRADUAL)
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    line = Target.objects.filter(rollout=rollout).order_by("-phase__index", "position")
    second = list(line.values_list("pk", flat=True))[2:4]
    Target.objects.filter(pk__in=second).update(previous_hash="f" * 64)
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rollback_incomplete")
    states = list(RollbackTarget.objects.values_list("state", flat=True))
    assert (states.count("confirmed"), states.count("no_version")) == (18, 2)


def test_stragglers_of_far_apart_batches_are_asked_again() -> None:
    fleet = Fleet(20)
    rollout = fleet.start({**GRADUAL, "apply_timeout": "5s"})
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    back(fleet, rollout, method="immediate")
    silent = set(RollbackTarget.objects.filter(pk__in=_two_ends()).values_list("agent", flat=True))
    fleet.answer = lambda agent, config_hash: None if agent.pk in silent else ConfigStatus.APPLIED
    fleet.run_until(lambda: state_of(rollout) == "rollback_incomplete")
    # As a gradual one would have numbered them.
    for wave, pk in enumerate(_two_ends()):
        RollbackTarget.objects.filter(pk=pk).update(wave=1 + 5 * wave)
    Rollback.objects.update(method="gradual")
    fleet.answer = lambda agent, config_hash: ConfigStatus.APPLIED
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")


def _two_ends() -> list[int]:
    pks = list(RollbackTarget.objects.order_by("pk").values_list("pk", flat=True))
    return [pks[0], pks[-1]]


def test_a_rollback_goes_on_where_a_dead_worker_left_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waves, "CHUNK", 4)
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    rollback = back(fleet, rollout)
    waves.tick_one(rollback.pk, fleet.now)
    with contextlib.suppress(InterruptedError), transaction.atomic():
        waves.tick_one(rollback.pk, fleet.now)
        raise InterruptedError
    assert RollbackTarget.objects.filter(state="offered").count() == 4
    fleet.now += timedelta(hours=1)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert fleet.running() == {fleet.v1.config_hash: 20}


def test_a_version_that_was_rolled_back_is_not_started_again_until_lifted() -> None:
    fleet = Fleet(10)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    with pytest.raises(Refused, match="quarantined for the whole fleet"):
        fleet.start()
    fleet_wide = Quarantine.objects.get(agent=None)
    lift_one(
        quarantine_id=fleet_wide.pk, by=fleet.approver, reason="fixed the backend", now=fleet.now
    )
    assert state_of(fleet.start()) == "running"


def test_an_agent_that_went_back_by_itself_is_confirmed_at_once() -> None:
    fleet = Fleet(1)
    refuse(fleet, fleet.v2.config_hash)
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert RollbackTarget.objects.get().state == "confirmed"


def test_the_durations_of_a_rollback_are_kept() -> None:
    fleet = Fleet(10)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    rollback = back(fleet, rollout)
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    rollback.refresh_from_db()
    assert 0 <= rollback.counts["restored_99_s"] <= rollback.counts["restored_s"] <= 5


def test_an_automatic_rollback_tells_how_long_it_took_to_see_and_to_decide() -> None:
    fleet = Fleet(20)
    refuse(fleet, fleet.v2.config_hash)
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    counts = Rollback.objects.get().counts
    assert 0 < counts["detect_s"] <= 15
    assert 0 <= counts["decide_s"] <= 5
    text = incident_text(Rollout.objects.get(pk=rollout.pk), events_of(rollout))
    assert f"{exact_span(counts['detect_s'])} from the start of the phase until the breach" in text
    assert "rolling_back -> rolled_back" in text


@pytest.mark.parametrize("state", sorted(RolloutState))
def test_in_each_state_a_rollback_begins_or_is_refused_with_a_reason(state: str) -> None:
    fleet = Fleet(10)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    Rollout.objects.filter(pk=rollout.pk).update(state=state)
    can = {source for (act, source) in ROLLOUT_TABLE if act == "roll_back"}
    if state in can:
        back(fleet, rollout)
        assert state_of(rollout) == "rolling_back"
    else:
        with pytest.raises(Refused, match=rollout.number):
            back(fleet, rollout)
        assert not Rollback.objects.exists()
