"""Gateways that speak TLS, and agents that connect to them with certificates."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent
from tests.agents.gateway.running import RunningGateway, Starter
from tests.agents.gateway.tls.world import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


StartTls = Callable[..., RunningGateway]
Secure = Callable[..., FakeAgent]


@pytest.fixture
def start_tls(start_gateway: Starter, world: World) -> StartTls:
    """Start a gateway with the world's files; `tls` holds further fields of its TlsOptions."""

    def start(auth: str = "any", tls: dict[str, Any] | None = None, **words: Any) -> RunningGateway:
        return start_gateway(auth=auth, tls=world.options(**(tls or {})), **words)

    return start


@pytest.fixture
def secure(make_agent: MakeAgent) -> Secure:
    """Make agents that connect with this context."""

    def make(
        at: RunningGateway, tls: ssl.SSLContext, transport: str = "ws", **words: Any
    ) -> FakeAgent:
        return make_agent(transport, at=at, tls=tls, **words)

    return make
