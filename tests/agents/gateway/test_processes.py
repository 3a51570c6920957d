"""Gateways as processes of their own: one killed, two restarted one after the other."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from websockets.exceptions import ConnectionClosed

from agents.models import AgentStatus, Session
from agents.opamp import opamp_pb2 as pb
from agents.tasks import reconcile
from tests.agents.gateway.fake_agent import FakeAgent, full_state
from tests.agents.gateway.helpers import stored
from tests.agents.gateway.running import RunningGateway
from tests.make.waiting import eventually
from tests.real.gateway import Gateway

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

AGENTS = 6
FULL = pb.ServerToAgentFlags_ReportFullState
MakeGateway = Callable[[], Gateway]


@pytest.fixture
def make_gateway(transactional_db: None, tmp_path: Path) -> Iterator[MakeGateway]:
    made: list[Gateway] = []

    def make() -> Gateway:
        made.append(Gateway(tmp_path / f"gateway-{len(made)}.log").start())
        return made[-1]

    yield make
    for gateway in made:
        gateway.kill()


def agent_of(gateway: Gateway) -> FakeAgent:
    agent = FakeAgent(cast("RunningGateway", gateway), "ws")
    agent.begin()
    stored(agent, connected=True)
    return agent


def test_agents_of_a_killed_gateway_are_shown_disconnected_within_30_seconds(
    make_gateway: MakeGateway,
) -> None:
    gateway = make_gateway()
    agents = [agent_of(gateway) for _ in range(AGENTS)]
    gateway.kill()
    killed_at = time.monotonic()
    while AgentStatus.objects.filter(connected=True).exists():
        assert time.monotonic() - killed_at < 30
        time.sleep(5)  # as often as the beat does it
        reconcile()
    assert not Session.objects.filter(disconnected_at=None).exists()
    gateway.start()
    for agent in agents:
        agent.close()
        agent.connect()
        agent.say(**full_state())
        stored(agent, connected=True, healthy=True)
        agent.close()


class Mover:
    """An agent that says a new status each time, and goes to the next gateway when one closes."""

    def __init__(self, agent: FakeAgent, others: Iterator[Gateway]) -> None:
        self.agent = agent
        self.moves = 0
        self.acknowledged = pb.ComponentHealth(healthy=True)
        self._others = others

    def speak(self, number: int) -> None:
        health = pb.ComponentHealth(healthy=False, last_error=f"status {number}")
        try:
            self.agent.say(health=health)
            self.acknowledged = health
        except ConnectionClosed:
            # Not answered, so not processed: its number is used again.
            self.agent.sequence_num -= 1
            self._move()

    def _move(self) -> None:
        """Go on at another gateway without repeating anything, unless asked to."""
        self.moves += 1
        self.agent.close()
        self.agent.gateway = cast("RunningGateway", next(self._others))
        self.agent.connect()
        if self.agent.say().flags & FULL:
            self.agent.say(**full_state(health=self.acknowledged))


def test_a_rolling_restart_of_two_gateways_loses_no_status(make_gateway: MakeGateway) -> None:
    first, second = make_gateway(), make_gateway()
    movers = [Mover(agent_of(first), itertools.cycle([second, first])) for _ in range(AGENTS)]
    numbers = itertools.count()
    for gateway in (first, second):
        stopping = threading.Thread(target=gateway.stop)
        stopping.start()
        while stopping.is_alive():
            for mover in movers:
                mover.speak(next(numbers))
            time.sleep(0.1)
        for mover in movers:
            # One closed at the very end learns of it here, while the other gateway still runs.
            mover.speak(next(numbers))
        gateway.start()
    assert {mover.moves for mover in movers} == {2}
    for mover in movers:
        stored(mover.agent, connected=True, health_error=mover.acknowledged.last_error)
    still_open = Session.objects.filter(disconnected_at=None)
    eventually(lambda: still_open.count() == AGENTS, "each has one open session")
    for mover in movers:
        assert mover.agent.say().flags == 0
        mover.agent.close()
