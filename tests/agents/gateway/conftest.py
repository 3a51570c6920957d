"""Gateways on real sockets and agents that talk to them, over both transports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agents.models import Agent
from tests.agents.gateway.fake_agent import FakeAgent
from tests.agents.gateway.running import RunningGateway, Starter


@pytest.fixture
def start_gateway(transactional_db: None) -> Iterator[Starter]:
    """Start gateways; all are stopped at the end."""
    running: list[RunningGateway] = []

    def start(**words: Any) -> RunningGateway:
        running.append(RunningGateway(**words).start())
        return running[-1]

    yield start
    for gateway in running:
        if gateway._thread.is_alive():
            gateway.stop()


@pytest.fixture
def gateway(start_gateway: Starter) -> RunningGateway:
    return start_gateway()


@pytest.fixture(params=["ws", "http"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_agent(gateway: RunningGateway) -> Iterator[Callable[..., FakeAgent]]:
    """Make agents that are not connected yet; all are closed at the end."""
    made: list[FakeAgent] = []

    def make(transport: str = "ws", at: RunningGateway | None = None, **words: Any) -> FakeAgent:
        made.append(FakeAgent(at or gateway, transport, **words))
        return made[-1]

    yield make
    for agent in made:
        agent.close()


@pytest.fixture
def agent(make_agent: Callable[..., FakeAgent], transport: str) -> FakeAgent:
    """One agent per transport, not connected yet."""
    return make_agent(transport)


MakeAgent = Callable[..., FakeAgent]
Rows = Callable[[FakeAgent], Agent]
