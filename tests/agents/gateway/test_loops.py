"""What must never hang or go on half dead: loops, joins, and a stop."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
import uvloop
from django.utils import timezone
from redis import Redis

from agents.gateway.database import Database, connection_arguments
from agents.gateway.options import Limits, Options
from agents.gateway.process import GatewayDied, _serve
from agents.gateway.registry.wishes import Wishes
from agents.gateway.sweep import Sweep
from agents.models import DesiredSettings, GatewayLease
from agents.opamp import opamp_pb2 as pb
from agents.opamp.wire import encode
from console.lib import hints
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import full_state
from tests.agents.gateway.helpers import row, stored, want
from tests.agents.gateway.running import QUICK, Starter
from tests.agents.gateway.test_survival import cut_off
from tests.make.waiting import eventually

UNAVAILABLE = pb.ServerErrorResponseType_Unavailable


@pytest.mark.django_db(transaction=True)
def test_a_gateway_one_of_whose_loops_dies_stops_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def die(_sweep: Sweep) -> None:
        raise RuntimeError("the sweep is dead")

    monkeypatch.setattr(Sweep, "run", die)
    with pytest.raises(GatewayDied):
        uvloop.run(_serve(Options(port=0, intervals=QUICK)))
    assert GatewayLease.objects.get().stopped_at is not None


def test_a_loop_that_does_not_hear_it_is_cancelled_again(start_gateway: Starter) -> None:
    gateway = start_gateway()
    heard: list[str] = []

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard.append("once")
        await asyncio.sleep(60)

    async def begin() -> None:
        gateway.server._spawn("stubborn", stubborn())
        await asyncio.sleep(0)

    gateway.run(begin())
    gateway.stop()
    assert heard == ["once"]


def test_an_agent_that_cannot_be_loaded_is_told_and_costs_no_other(make_agent: MakeAgent) -> None:
    bad, good = make_agent("ws"), make_agent("ws").connect()
    bad.begin()
    bad.close()
    by_uid = bad.gateway.server.gateway.registry.by_uid
    eventually(lambda: bad.uid not in by_uid, "it is forgotten")
    odd = DesiredSettings(agent=row(bad), settings=["nobody understands"], settings_hash="x")
    odd.change, odd.at = 0, timezone.now()
    odd.save()
    bad.connect()
    for agent in (bad, good):
        agent.ws.send(encode(agent.message(**full_state())))
    assert bad.receive().error_response.type == UNAVAILABLE
    assert good.receive().instance_uid == good.uid
    odd.delete()
    assert bad.say(**full_state()).instance_uid == bad.uid
    stored(bad, connected=True)


def test_an_agent_that_has_just_joined_is_not_taken_for_silent(make_agent: MakeAgent) -> None:
    """The sweep may come between the join and the message that brought it."""
    agent = make_agent("ws")
    agent.begin()
    agent.close()
    server = agent.gateway.server
    eventually(lambda: agent.uid not in server.gateway.registry.by_uid, "it is forgotten")
    agent.connect()
    [connection] = eventually(lambda: list(server.gateway.connections), "its socket")

    async def join_and_sweep() -> None:
        await server.gateway.join(connection, agent.uid)
        await server.sweep.look(time.time())

    agent.gateway.run(join_and_sweep())
    assert agent.say().instance_uid == agent.uid


def test_a_message_that_breaks_the_gateway_ends_its_socket_and_no_agent_waits_for_ever(
    make_agent: MakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, other = make_agent("ws").connect(), make_agent("ws")

    async def break_down(*_: object) -> bytes:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(agent.gateway.server.gateway, "receive_first", break_down)
    agent.ws.send(encode(agent.message(**full_state())))
    assert agent.closed_with() == 1011
    monkeypatch.undo()
    assert other.begin().instance_uid == other.uid


def test_a_poll_of_an_unknown_agent_is_not_left_waiting_for_postgresql(
    start_gateway: Starter, make_agent: MakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = make_agent("http", at=start_gateway(limits=Limits(load_s=0.3))).connect()
    cut_off(agent.gateway, monkeypatch)
    body = agent.message(**full_state()).SerializeToString()
    answer = agent.post(body)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 30
    monkeypatch.undo()

    def ask_again() -> bytes:
        response = agent.post(body)
        return response.content if response.status_code == 200 else b""

    answered = eventually(ask_again, "an answer once PostgreSQL is back")
    assert pb.ServerToAgent.FromString(answered).instance_uid == agent.uid
    stored(agent, connected=True)


class _HalfAway(Database):
    """PostgreSQL goes away behind the answer about configs."""

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        if "agents_desiredsettings" in query:
            raise OSError("PostgreSQL is away")
        return await super().fetch(query, *values)


def test_a_wish_read_before_postgresql_went_away_is_pushed_all_the_same(
    start_gateway: Starter, make_agent: MakeAgent, settings: Any
) -> None:
    """Its change has been passed by, so nothing would read it again."""
    redis_url, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    gateway = start_gateway(intervals=replace(QUICK, poll_s=600.0))  # it hears no hint
    settings.REDIS_URL = redis_url
    agent = make_agent("ws", at=gateway)
    agent.begin()
    config_hash = want(agent)

    async def look() -> None:
        database = _HalfAway(connection_arguments(), "half")
        with pytest.raises(OSError, match="is away"):
            await Wishes(gateway.server.gateway, database).look()
        await database.close()

    gateway.run(look())
    assert agent.receive().remote_config.config_hash.hex() == config_hash


@pytest.mark.parametrize("payload", [b"\xff", b"x:" + "\u00b2".encode(), b"x:" + b"9" * 5000])
def test_a_hint_of_rubbish_ends_nothing(
    start_gateway: Starter, make_agent: MakeAgent, settings: Any, payload: bytes
) -> None:
    gateway = start_gateway(intervals=replace(QUICK, poll_s=600.0))
    agent = make_agent("ws", at=gateway)
    agent.begin()
    mine = payload.replace(b"x", str(gateway.server.gateway.id).encode())
    with closing(Redis.from_url(settings.REDIS_URL)) as redis:
        eventually(lambda: redis.publish(hints.MOVED, mine) == 2, "both gateways listen")
    config_hash = want(agent)
    assert agent.receive().remote_config.config_hash.hex() == config_hash
    assert gateway.server._is_well()
