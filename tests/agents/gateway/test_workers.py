"""`manage.py gateway --workers 2`: one port, two processes, one fleet (gateway.md section 10)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from websockets.exceptions import WebSocketException

from agents.models import Agent, AgentStatus, Delivery, GatewayLease, Session
from agents.opamp import opamp_pb2 as pb
from tests.agents.gateway.fake_agent import FakeAgent, config_status, full_state
from tests.agents.gateway.helpers import want
from tests.agents.gateway.running import RunningGateway
from tests.clients.process import children, is_running, kill
from tests.make.waiting import eventually
from tests.real.gateway import Gateway

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# All on one of two workers once in half a million runs.
AGENTS = 20
BOTH_S = 20.0
DRAINED_S = 15.0


@pytest.fixture
def gateway(transactional_db: None, tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(tmp_path / "gateway.log", "--workers", "2").start()
    try:
        eventually(
            lambda: GatewayLease.objects.count() == 2, "both workers stand", timeout_s=BOTH_S
        )
        yield made
    finally:
        made.kill()


@pytest.fixture
def agents(gateway: Gateway) -> Iterator[list[FakeAgent]]:
    """Agents that are connected and stored."""
    made = [FakeAgent(cast("RunningGateway", gateway), "ws") for _ in range(AGENTS)]
    for agent in made:
        agent.begin()
    all_connected()
    yield made
    for agent in made:
        agent.close()


def workers(gateway: Gateway) -> list[int]:
    """Return the ids of the worker processes; Python's resource tracker is not one."""
    return [pid for pid in children(gateway.process.pid) if b"spawn_main" in command_of(pid)]


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def all_connected() -> None:
    shown = AgentStatus.objects.filter(connected=True)
    eventually(lambda: shown.count() == AGENTS, "all are shown connected")
    still_open = Session.objects.filter(disconnected_at=None)
    eventually(lambda: still_open.count() == AGENTS, "each has one open session")
    assert Agent.objects.count() == AGENTS


def is_back(agent: FakeAgent) -> bool:
    """Connect as a client does, which tries again: until the kernel has closed all that a killed
    worker had open, it may still choose that worker for a connection, and then resets it."""
    agent.close()
    try:
        return agent.connect().say(**full_state()).instance_uid == agent.uid
    except (OSError, WebSocketException):
        return False


def serving() -> set[object]:
    return set(AgentStatus.objects.filter(connected=True).values_list("gateway_id", flat=True))


def test_both_workers_serve_some_and_nothing_is_shown_or_sent_twice(
    agents: list[FakeAgent],
) -> None:
    assert len(serving()) == 2
    config_hash = want(*agents)
    for agent in agents:
        assert agent.receive().remote_config.config_hash.hex() == config_hash
        applied = config_status(config_hash, pb.RemoteConfigStatuses_APPLIED)
        assert agent.say(remote_config_status=applied).flags == 0
    applied_ones = Delivery.objects.filter(state="applied")
    eventually(lambda: applied_ones.count() == AGENTS, "all are applied")
    assert Delivery.objects.count() == AGENTS
    for agent in agents:
        # The kernel chooses a worker again: about half of them move.
        agent.close()
        agent.connect()
        answer = agent.say()
        assert (answer.flags, answer.HasField("remote_config")) == (0, False)
    all_connected()
    assert agents[0].hears_nothing(1.0)


def test_a_worker_that_is_killed_is_started_again_and_the_other_goes_on(
    gateway: Gateway, agents: list[FakeAgent]
) -> None:
    before = workers(gateway)
    assert len(before) == 2
    kill(before[0])
    for agent in agents:
        eventually(partial(is_back, agent), "an answer")
    all_connected()
    eventually(lambda: GatewayLease.objects.count() == 3, "a worker in its place", timeout_s=BOTH_S)
    now = workers(gateway)
    assert len(now) == 2
    assert before[1] in now
    # The kernel spreads connections by chance: a few tries until both have some.
    for _ in range(6):
        for agent in agents:
            agent.close()
            agent.connect()
            agent.say(**full_state())
        all_connected()
        if len(serving()) == 2:
            break
    assert len(serving()) == 2


def test_workers_whose_parent_is_killed_drain_and_end(
    gateway: Gateway, agents: list[FakeAgent]
) -> None:
    pids = children(gateway.process.pid)
    kill(gateway.process.pid)
    assert [agent.closed_with(DRAINED_S) for agent in agents] == [1012] * AGENTS
    eventually(lambda: not any(map(is_running, pids)), "no process is left", timeout_s=5.0)
    assert not GatewayLease.objects.filter(stopped_at=None).exists()


def test_sigterm_drains_every_worker_and_leaves_no_process(
    gateway: Gateway, agents: list[FakeAgent]
) -> None:
    pids = [gateway.process.pid, *children(gateway.process.pid)]
    for agent in agents:
        agent.say(health=pb.ComponentHealth(healthy=False, last_error="last words"))
    gateway.process.send(signal.SIGTERM)
    assert [agent.closed_with(DRAINED_S) for agent in agents] == [1012] * AGENTS
    assert gateway.process.wait(20) == 0
    eventually(lambda: not any(map(is_running, pids)), "no process is left", timeout_s=2.0)
    shown = AgentStatus.objects.filter(connected=False, health_error="last words")
    assert shown.count() == AGENTS
    assert not Session.objects.filter(disconnected_at=None).exists()
    assert not GatewayLease.objects.filter(stopped_at=None).exists()
