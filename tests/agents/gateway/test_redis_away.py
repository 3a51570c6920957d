"""Redis goes away and comes back: the database is asked instead, and nothing is forgotten
(spec section 2; gateway.md section 10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from console.lib import hints
from console.lib.redis import Patience
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.forwarder import Forwarder
from tests.agents.gateway.helpers import GOOD, OTHER, want
from tests.agents.gateway.running import QUICK, Starter

HINTS_ALONE = replace(QUICK, poll_s=600.0)


@pytest.fixture
def redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forwarder]:
    """The way to Redis for everyone in this test."""
    address = urlsplit(settings.REDIS_URL)
    way = Forwarder(address.hostname or "127.0.0.1", address.port or 6379)
    who = address.netloc.rpartition("@")[0]
    here = f"{who}@127.0.0.1:{way.port}" if who else f"127.0.0.1:{way.port}"
    settings.REDIS_URL = address._replace(netloc=here).geturl()
    monkeypatch.setattr(hints, "_patience", Patience(alone_s=10.0))
    yield way
    way.cut()


def test_what_is_pushed_while_redis_is_away_arrives_by_the_poll_or_when_it_is_back(
    redis: Forwarder, start_gateway: Starter, make_agent: MakeAgent
) -> None:
    polling = make_agent("ws", at=start_gateway())
    hinted = make_agent("ws", at=start_gateway(intervals=HINTS_ALONE))
    for agent in (polling, hinted):
        agent.begin()
    first = want(polling, hinted, text=GOOD)
    for agent in (polling, hinted):
        assert agent.receive().remote_config.config_hash.hex() == first
    redis.cut()
    second = want(polling, hinted, text=OTHER)
    assert polling.receive().remote_config.config_hash.hex() == second
    assert hinted.hears_nothing(0.5)
    redis.mend()
    assert hinted.receive(10.0).remote_config.config_hash.hex() == second
