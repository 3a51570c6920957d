"""A time-out is not a refusal: silence comes back, and says nothing about the version."""

from __future__ import annotations

import pytest

from agents.models import ConfigStatus, Quarantine
from console.lib.texts import spoken
from rollouts.models import Rollout
from tests.make.speech import connect
from tests.rollouts.delivering.test_delivering import silent
from tests.rollouts.delivering.test_what_runs_now import LONG, only
from tests.rollouts.fleet import ALL_AT_ONCE, Fleet, phases_of, state_of

pytestmark = pytest.mark.django_db


def fleet_wide(fleet: Fleet) -> bool:
    return Quarantine.objects.filter(agent=None, config_hash=fleet.v2.config_hash).exists()


def ended(fleet: Fleet, rollout: Rollout) -> str:
    fleet.run_until(lambda: state_of(rollout) in {"rolled_back", "rollback_incomplete"})
    return str(spoken(Rollout.objects.get(pk=rollout.pk).why["next"]))


def test_silence_rolls_back_and_quarantines_nothing() -> None:
    fleet = Fleet(4)
    fleet.answer = lambda agent, config_hash: (
        silent(agent, config_hash) if config_hash == fleet.v2.config_hash else ConfigStatus.APPLIED
    )
    rollout = fleet.start(ALL_AT_ONCE)
    said = ended(fleet, rollout)
    assert not fleet_wide(fleet)
    assert "none refused it: v2 is not quarantined" in said
    assert "4 did not answer in time" in said


def test_silence_beside_a_refusal_quarantines() -> None:
    fleet = Fleet(4)
    refusing = fleet.agents[0].pk
    fleet.answer = lambda agent, config_hash: (
        ConfigStatus.APPLIED
        if config_hash != fleet.v2.config_hash
        else ConfigStatus.FAILED
        if agent.pk == refusing
        else None
    )
    rollout = fleet.start({**ALL_AT_ONCE, "tolerated_failures": "50%"})
    assert "v2 was quarantined" in ended(fleet, rollout)
    assert fleet_wide(fleet)


def test_who_vanishes_after_it_applied_did_say_something() -> None:
    fleet = Fleet(4)
    rollout = fleet.start({**LONG, "lost_after": "10s"})
    fleet.run_until(lambda: phases_of(rollout) == ["observing"])
    for agent in fleet.agents:
        connect(agent, connected=False, at=fleet.now)
    fleet.run_until(lambda: state_of(rollout) != "running", seconds=30)
    assert fleet_wide(fleet)


def test_a_refusal_alone_quarantines() -> None:
    fleet = Fleet(4)
    only(fleet, 4, ConfigStatus.FAILED)
    rollout = fleet.start(ALL_AT_ONCE)
    ended(fleet, rollout)
    assert fleet_wide(fleet)
