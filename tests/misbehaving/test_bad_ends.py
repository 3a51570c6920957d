"""What members run now decides, not the best word they ever gave (spec section 4)."""

from __future__ import annotations

import pytest

from agents.models import AgentStatus, Delivery, Desired
from agents.simulator.faults import Fault
from rollouts.models import Rollout, Target
from tests.misbehaving.world import World

pytestmark = pytest.mark.django_db(transaction=True)

AGENTS, CANARIES = 10, 2
BACK = {"rolled_back", "rollback_incomplete"}


def offered(rollout: Rollout) -> set[int]:
    """Return the ids of the agents that were given the new version."""
    given = Delivery.objects.filter(config_hash=rollout.version.config_hash)
    return set(given.values_list("agent_id", flat=True))


def canaries(rollout: Rollout) -> set[int]:
    first = rollout.phases.get(index=0)
    return set(Target.objects.filter(phase=first).values_list("agent_id", flat=True))


def comes_back(here: World, *faults: Fault, after_s: float = 0.4) -> Rollout:
    """Roll out to agents all of which have the faults: it comes back from the canary, and whoever
    comes later is not given the version either."""
    fleet = here.bring(AGENTS, *faults, after_s=after_s)
    if Fault.EFFECTIVE_ONLY in faults:
        here.give_first()
    rollout = here.roll_out()
    assert rollout.state in BACK, here.explain(rollout)
    assert offered(rollout) == canaries(rollout)
    assert fleet.ran(here.two.config_hash) <= CANARIES
    late = here.bring(2, seed=2)
    here.live(rollout, 1.0)
    assert late.ran(here.two.config_hash) == 0
    wanted = Desired.objects.filter(config_hash=here.two.config_hash)
    assert not wanted.exists(), here.explain(rollout)
    return rollout


def test_refused(here: World) -> None:
    comes_back(here, Fault.FAIL)
    assert here.is_quarantined()


def test_refused_without_a_word(here: World) -> None:
    """A time-out is no refusal: it comes back, and nothing is kept from the fleet."""
    comes_back(here, Fault.SILENT)
    assert not here.is_quarantined()


def test_fell_back_by_themselves(here: World) -> None:
    comes_back(here, Fault.FALL_BACK)
    assert set(AgentStatus.objects.values_list("running_hash", flat=True)) == {here.one.config_hash}


def test_vanished(here: World) -> None:
    comes_back(here, Fault.VANISH)


@pytest.mark.slow
def test_flap(here: World) -> None:
    comes_back(here, Fault.FLAP)


@pytest.mark.slow
def test_sick(here: World) -> None:
    comes_back(here, Fault.SICK)


@pytest.mark.slow
def test_crash_after_the_grace(here: World) -> None:
    comes_back(here, Fault.CRASH, after_s=1.6)


@pytest.mark.slow
def test_set_up_anew(here: World) -> None:
    comes_back(here, Fault.RE_IMAGED)


@pytest.mark.slow
def test_fell_silent(here: World) -> None:
    comes_back(here, Fault.DEATH)


@pytest.mark.slow
def test_fell_silent_and_had_promised_no_heartbeats(here: World) -> None:
    comes_back(here, Fault.NO_HEARTBEAT, Fault.DEATH)


@pytest.mark.slow
def test_wedged(here: World) -> None:
    rollout = comes_back(here, Fault.WEDGED)
    stuck = AgentStatus.objects.exclude(wedged_since="")
    assert set(stuck.values_list("agent_id", flat=True)) == canaries(rollout)
    assert set(stuck.values_list("wedged_since", "running_hash")) == {(here.two.config_hash, "")}
    assert rollout.state == "rollback_incomplete"


@pytest.mark.slow
def test_refused_by_agents_that_only_show_what_they_run(here: World) -> None:
    comes_back(here, Fault.EFFECTIVE_ONLY, Fault.FAIL)
    assert not here.is_quarantined()


@pytest.mark.slow
def test_fallen_back_agents_that_only_show_what_they_run(here: World) -> None:
    comes_back(here, Fault.EFFECTIVE_ONLY, Fault.FALL_BACK)


@pytest.mark.slow
def test_lost_what_they_had_stored(here: World) -> None:
    """Given it again at once, such an agent is never off it for long: it counts all the same."""
    comes_back(here, Fault.LOSE_STORAGE)
    assert not here.is_quarantined()
