"""Agents that are unusual and do nothing wrong get what is rolled out, and newcomers after it."""

from __future__ import annotations

import pytest

from agents.models import AgentStatus, Delivery
from agents.opamp.shown_config import SOURCE
from agents.simulator.faults import Fault
from tests.misbehaving.world import World

pytestmark = pytest.mark.django_db(transaction=True)

AGENTS, CANARIES = 10, 2


def test_good_agents_get_it_all(here: World) -> None:
    fleet = here.bring(AGENTS)
    rollout = here.roll_out()
    assert rollout.state == "succeeded", here.explain(rollout)
    assert fleet.runs(here.two.config_hash) == AGENTS
    late = here.bring(2, seed=2)
    here.live(rollout, 1.0)
    assert late.runs(here.two.config_hash) == 2


def test_no_heartbeats_are_no_fault(here: World) -> None:
    fleet = here.bring(AGENTS, Fault.NO_HEARTBEAT)
    rollout = here.roll_out()
    assert rollout.state == "succeeded", here.explain(rollout)
    assert fleet.runs(here.two.config_hash) == AGENTS
    assert not AgentStatus.objects.filter(connected=False).exists()


def test_the_effective_config_is_a_word(here: World) -> None:
    fleet = here.bring(AGENTS, Fault.EFFECTIVE_ONLY)
    rollout = here.roll_out()
    assert rollout.state == "succeeded", here.explain(rollout)
    assert fleet.runs(here.two.config_hash) == AGENTS
    assert [p.counts["by_effective"] for p in rollout.phases.order_by("index")] == [
        CANARIES,
        AGENTS - CANARIES,
    ]
    settled = Delivery.objects.filter(config_hash=here.two.config_hash)
    assert set(settled.values_list("state", "confirmed_by")) == {("applied", SOURCE)}
