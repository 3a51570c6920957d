"""A supervisor that refuses everything since some version, seen over both transports."""

from __future__ import annotations

import pytest

from agents.models import AgentEvent, Quarantine
from agents.opamp import bits
from agents.opamp import opamp_pb2 as pb
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent, config_status, full_state, showing
from tests.agents.gateway.helpers import GOOD, OTHER, row, stored, write_now
from tests.agents.gateway.running import Starter
from tests.make.configs import make_body
from tests.make.waiting import eventually

APPLIED, FAILED = pb.RemoteConfigStatuses_APPLIED, pb.RemoteConfigStatuses_FAILED
TAKEN = "listen tcp 0.0.0.0:4317: bind: address already in use"
NULLS = "service must have at least one pipeline"


def say(agent: FakeAgent, config_hash: str, status: pb.RemoteConfigStatuses) -> None:
    error = NULLS if status == FAILED else ""
    agent.say(remote_config_status=config_status(config_hash, status, error))


@pytest.fixture
def wedged(agent: FakeAgent) -> FakeAgent:
    """An agent that ran GOOD, refused OTHER, and then GOOD."""
    agent.begin()
    say(agent, make_body(GOOD), APPLIED)
    say(agent, make_body(OTHER), FAILED)
    assert stored(agent, config_status=FAILED).running_hash == make_body(GOOD)
    say(agent, make_body(GOOD), FAILED)
    return agent


def test_it_is_recognised_and_nobody_knows_what_it_runs(wedged: FakeAgent) -> None:
    assert stored(wedged, wedged_since=make_body(OTHER)).running_hash == ""
    (event,) = AgentEvent.objects.filter(agent=row(wedged), kind="wedged")
    assert event.details == {"config_hash": make_body(OTHER)}


def test_another_gateway_knows_it_from_the_first(
    wedged: FakeAgent, make_agent: MakeAgent, start_gateway: Starter
) -> None:
    stored(wedged, wedged_since=make_body(OTHER))
    wedged.close()
    third = make_body("receivers:\n  nop: {}\n")
    again = make_agent(wedged.transport, at=start_gateway(), uid=wedged.uid)
    again.sequence_num = wedged.sequence_num
    again.connect()
    say(again, third, FAILED)
    assert stored(again, config_hash=third).wedged_since == make_body(OTHER)


def test_a_refusal_before_the_gateway_went_counts(
    agent: FakeAgent, make_agent: MakeAgent, start_gateway: Starter
) -> None:
    agent.begin()
    say(agent, make_body(GOOD), APPLIED)
    say(agent, make_body(OTHER), FAILED)
    stored(agent, refused_hash=make_body(OTHER))
    write_now(agent)
    agent.close()
    again = make_agent(agent.transport, at=start_gateway(), uid=agent.uid)
    again.sequence_num = agent.sequence_num
    again.connect()
    say(again, make_body(GOOD), FAILED)
    assert stored(again, wedged_since=make_body(OTHER)).running_hash == ""


def test_it_is_over_when_something_is_applied(wedged: FakeAgent) -> None:
    stored(wedged, wedged_since=make_body(OTHER))
    applied = config_status(make_body(GOOD), APPLIED)
    wedged.say(remote_config_status=applied, effective_config=showing(GOOD))
    assert stored(wedged, wedged_since="").running_hash == make_body(GOOD)


def test_it_is_over_when_its_storage_is_removed(wedged: FakeAgent) -> None:
    stored(wedged, wedged_since=make_body(OTHER))
    say(wedged, "", pb.RemoteConfigStatuses_UNSET)
    assert stored(wedged, config_status=0).running_hash == ""
    say(wedged, make_body(OTHER), FAILED)
    assert stored(wedged, config_status=FAILED).wedged_since == ""


def test_one_that_refuses_versions_and_goes_on_is_not(agent: FakeAgent) -> None:
    agent.begin()
    say(agent, make_body(GOOD), APPLIED)
    for text in (OTHER, "a: 1\n", "a: 2\n"):
        say(agent, make_body(text), FAILED)
    found = stored(agent, config_hash=make_body("a: 2\n"))
    assert (found.wedged_since, found.running_hash) == ("", make_body(GOOD))


def test_one_that_lost_its_storage_runs_nothing_that_is_known(agent: FakeAgent) -> None:
    agent.begin()
    say(agent, make_body(GOOD), APPLIED)
    stored(agent, running_hash=make_body(GOOD))
    say(agent, "", pb.RemoteConfigStatuses_UNSET)
    assert stored(agent, config_status=0).running_hash == ""


@pytest.fixture
def port_taken(agent: FakeAgent) -> FakeAgent:
    """An agent that ran GOOD and refused OTHER and then GOOD, because its port was taken."""
    agent.begin()
    say(agent, make_body(GOOD), APPLIED)
    agent.say(
        remote_config_status=config_status(make_body(OTHER), FAILED, TAKEN),
        health=pb.ComponentHealth(healthy=False, last_error=TAKEN),
    )
    say(agent, make_body(GOOD), FAILED)
    stored(agent, wedged_since=make_body(OTHER))
    return agent


def shows(agent: FakeAgent, text: str) -> pb.ServerToAgent:
    """Say all again: healthy, the old FAILED, and this effective config."""
    refused = config_status(make_body(GOOD), FAILED, NULLS)
    return agent.say(**full_state(effective_config=showing(text), remote_config_status=refused))


def kept(agent: FakeAgent) -> list[str]:
    found = Quarantine.objects.filter(agent=row(agent), lifted_at=None)
    return sorted(found.values_list("config_hash", flat=True))


def test_one_that_becomes_healthy_does_not_refuse_everything(port_taken: FakeAgent) -> None:
    asked = port_taken.say(health=pb.ComponentHealth(healthy=True))
    assert stored(port_taken, wedged_since="", refused_hash="").healthy is True
    assert asked.flags & bits.REPORT_FULL_STATE


def test_what_it_shows_then_is_what_it_runs_and_it_may_have_it_again(port_taken: FakeAgent) -> None:
    assert kept(port_taken) == sorted([make_body(GOOD), make_body(OTHER)])
    port_taken.say(health=pb.ComponentHealth(healthy=True))
    shows(port_taken, GOOD)
    found = stored(port_taken, running_hash=make_body(GOOD))
    assert (found.config_status, found.config_hash) == (FAILED, make_body(GOOD))
    eventually(lambda: kept(port_taken) == [make_body(OTHER)], "only what it does not run is kept")
    shows(port_taken, GOOD)
    write_now(port_taken)
    assert kept(port_taken) == [make_body(OTHER)]


def test_what_it_shows_while_it_is_unhealthy_is_no_word(port_taken: FakeAgent) -> None:
    down = pb.ComponentHealth(healthy=False, last_error=TAKEN)
    port_taken.say(effective_config=showing(GOOD), health=down)
    write_now(port_taken)
    assert stored(port_taken, wedged_since=make_body(OTHER)).running_hash == ""
    assert len(kept(port_taken)) == 2
