"""`up` asks the gateway to end while real agents hold on to it: it does so by itself."""

from __future__ import annotations

import asyncio
import io
import os
import uuid
from pathlib import Path

import aiohttp
import pytest
from django.conf import settings

from agents.gateway.options import Intervals
from agents.opamp import opamp_pb2 as pb
from agents.opamp.wire import encode
from console.embedded.server import free_port
from console.processes.child import STOP_PATIENCE_S
from console.processes.record import ProcessList
from console.processes.stack import StackOptions, service_specs
from console.processes.stream import LogStream
from console.processes.supervisor import Supervisor
from tests.real.gateway import database_url

AGENTS = 12


def test_a_stop_asked_of_the_gateway_fits_into_the_time_it_is_given() -> None:
    for within_s in (STOP_PATIENCE_S - 0.5, 10.0):
        ending = Intervals().ending_within(within_s)
        assert ending.drain_s + ending.goodbye_s + ending.requests_s < within_s
    assert Intervals().ending_within(10.0) == Intervals()


async def connect(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    """Return the socket of an agent that has reported, and will not answer a Close frame."""
    socket = await session.ws_connect(url, autoclose=False)
    hello = pb.AgentToServer(instance_uid=uuid.uuid4().bytes, capabilities=7)
    await socket.send_bytes(encode(hello))
    await socket.receive_bytes()
    return socket


@pytest.mark.django_db(transaction=True)
def test_the_gateway_ends_by_itself_with_agents_that_hold_on(tmp_path: Path) -> None:
    options = StackOptions(tmp_path, "127.0.0.1", free_port(), free_port(), demo=False, agents=0)
    env = {
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "TIDEGATE_DATA": os.environ["TIDEGATE_DATA"],
    }
    (gateway,) = (spec for spec in service_specs(options, env) if spec.name == "gateway")
    out = io.StringIO()

    async def run() -> None:
        supervisor = Supervisor(LogStream(out, ["gateway"]), ProcessList(tmp_path))
        try:
            await supervisor.start_group([gateway])
            async with aiohttp.ClientSession() as session:
                sockets = [await connect(session, options.opamp_url) for _ in range(AGENTS)]
                await supervisor.stop()
                assert len(sockets) == AGENTS
        finally:
            await supervisor.stop()

    async def bounded() -> None:
        async with asyncio.timeout(90):
            await run()

    asyncio.run(bounded())
    assert "Gateway has stopped" in out.getvalue()
    assert "does not end by itself" not in out.getvalue()
