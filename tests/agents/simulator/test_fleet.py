"""The fleet over real sockets, against the smallest server that offers one configuration."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from agents.opamp import opamp_pb2 as pb
from agents.simulator import fleet
from agents.simulator.connection import Server
from agents.simulator.faults import Behaviour, Fault
from agents.simulator.fleet import FleetOptions

EXAMPLES = Path(__file__).resolve().parents[3] / "console" / "demo" / "examples"
ONE = EXAMPLES / "edge-v1.yaml"
TWO = (EXAMPLES / "edge-v2.yaml").read_bytes()
BEAT = {"instance_uid", "sequence_num", "capabilities"}
QUICK = Behaviour(apply_delay_s=(0.05, 0.1))


class OneConfigServer:
    """Offers TWO to whoever does not report its hash; keeps what it was told, by uid."""

    def __init__(self) -> None:
        self.hellos: dict[bytes, list[pb.AgentToServer]] = {}
        self.settled: dict[bytes, int] = {}
        self.goodbyes: set[bytes] = set()
        self.ways: dict[bytes, str] = {}
        self.open = 0
        self.heartbeats = 0
        self.beats_of: set[bytes] = set()

    def answer(self, message: pb.AgentToServer, way: str) -> pb.ServerToAgent:
        uid = message.instance_uid
        if {field.name for field, _ in message.ListFields()} <= BEAT:
            self.heartbeats += 1
            self.beats_of.add(uid)
        self.ways[uid] = way
        if message.HasField("agent_disconnect"):
            self.goodbyes.add(uid)
        status = message.remote_config_status
        if status.status in (pb.RemoteConfigStatuses_APPLIED, pb.RemoteConfigStatuses_FAILED):
            self.settled[uid] = status.status
        reply = pb.ServerToAgent(instance_uid=uid, capabilities=7)
        if status.last_remote_config_hash != hashlib.sha256(TWO).digest():
            reply.remote_config.config_hash = hashlib.sha256(TWO).digest()
            reply.remote_config.config.config_map[""].body = TWO
        return reply

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            message = pb.AgentToServer.FromString(await request.read())
            self.hellos.setdefault(message.instance_uid, []).append(message)
            return web.Response(body=self.answer(message, "http").SerializeToString())
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self.open += 1
        first = True
        async for frame in socket:
            assert frame.type is WSMsgType.BINARY
            message = pb.AgentToServer.FromString(frame.data[1:])
            if first:
                self.hellos.setdefault(message.instance_uid, []).append(message)
            first = False
            await socket.send_bytes(b"\0" + self.answer(message, "ws").SerializeToString())
        self.open -= 1
        return socket


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the condition is on the other side of a socket
            await asyncio.sleep(0.02)


def run(act: Callable[[OneConfigServer, str, asyncio.Event], Awaitable[None]]) -> OneConfigServer:
    """Run `act` beside a server; the event it is given stops its fleet."""
    server = OneConfigServer()

    async def body() -> None:
        app = web.Application()
        app.router.add_route("*", "/v1/opamp", server.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            await act(server, f"ws://127.0.0.1:{port}/v1/opamp", asyncio.Event())
        finally:
            await runner.cleanup()

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await body()

    asyncio.run(bounded())
    return server


async def run_fleet(
    stop: asyncio.Event, url: str, until_true: Callable[[], bool], **options: Any
) -> None:
    usual = {"agents": 20, "server": Server(url, poll_s=0.1), "behaviour": QUICK}
    chosen = FleetOptions(**{**usual, **options})
    running = asyncio.create_task(fleet.run(chosen, stop))
    await until(until_true)
    stop.set()
    await running


def test_every_agent_applies_what_is_offered() -> None:
    async def act(server: OneConfigServer, url: str, stop: asyncio.Event) -> None:
        await run_fleet(stop, url, lambda: len(server.settled) == 20, http_share=0.3)

    server = run(act)
    assert set(server.settled.values()) == {pb.RemoteConfigStatuses_APPLIED}
    assert set(server.ways.values()) == {"ws", "http"}


def test_a_clean_stop_says_goodbye_on_every_socket() -> None:
    async def act(server: OneConfigServer, url: str, stop: asyncio.Event) -> None:
        await run_fleet(stop, url, lambda: len(server.settled) == 20, http_share=0.0)

    assert len(run(act).goodbyes) == 20


def test_the_initial_config_is_reported_as_running() -> None:
    async def act(server: OneConfigServer, url: str, stop: asyncio.Event) -> None:
        await run_fleet(stop, url, lambda: len(server.hellos) == 20, initial_config=ONE)

    hashes = {
        hello[0].remote_config_status.last_remote_config_hash for hello in run(act).hellos.values()
    }
    assert hashes == {hashlib.sha256(ONE.read_bytes()).digest()}


def test_the_state_file_says_what_each_agent_runs(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"

    async def act(server: OneConfigServer, url: str, stop: asyncio.Event) -> None:
        await run_fleet(stop, url, lambda: len(server.settled) == 20, state_file=path)

    run(act)
    agents = json.loads(path.read_text())["agents"].values()
    assert {agent["running"] for agent in agents} == {hashlib.sha256(TWO).hexdigest()}
    assert len(agents) == 20


def test_a_restarted_fleet_remembers_what_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"

    async def act(server: OneConfigServer, url: str, stop: asyncio.Event) -> None:
        await run_fleet(stop, url, lambda: len(server.settled) == 20, state_file=path)
        server.hellos.clear()
        again = asyncio.Event()
        await run_fleet(again, url, lambda: len(server.hellos) == 20, state_file=path)

    hashes = {
        hello[0].remote_config_status.last_remote_config_hash for hello in run(act).hellos.values()
    }
    assert hashes == {hashlib.sha256(TWO).digest()}


def test_a_storm_brings_every_agent_back() -> None:
    async def act(server: OneConfigServer, url: str, stop: asyncio.Event) -> None:
        def all_came_twice() -> bool:
            return len(server.hellos) == 20 and all(len(h) >= 2 for h in server.hellos.values())

        await run_fleet(stop, url, all_came_twice, http_share=0.0, storm_every_s=0.5)

    second = [hello[1] for hello in run(act).hellos.values()]
    assert not any(message.HasField("agent_description") for message in second)


def faulty(fault: Fault) -> dict[str, Any]:
    behaviour = replace(QUICK, shares={fault: 1.0}, after_s={fault: 0.1})
    return {"behaviour": behaviour, "agents": 4}


@pytest.mark.parametrize("http_share", [0.0, 1.0], ids=["websocket", "http"])
def test_agents_that_vanish_never_come_back(http_share: float, tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"

    def all_are_gone() -> bool:
        agents = json.loads(path.read_text())["agents"].values() if path.exists() else []
        return len(agents) == 4 and all(one["gone"] and not one["connected"] for one in agents)

    async def act(server: OneConfigServer, url: str, stop: asyncio.Event) -> None:
        more = {"http_share": http_share, "state_file": path, **faulty(Fault.VANISH)}
        await run_fleet(stop, url, all_are_gone, **more)

    server = run(act)
    assert server.open == 0
    assert set(server.settled.values()) == {pb.RemoteConfigStatuses_APPLIED}
    assert not server.goodbyes


@pytest.mark.parametrize("http_share", [0.0, 1.0], ids=["websocket", "http"])
def test_agents_that_lose_their_storage_come_back_with_nothing(http_share: float) -> None:
    def came_back(server: OneConfigServer) -> bool:
        words = [
            [hello.remote_config_status.last_remote_config_hash for hello in hellos]
            for hellos in server.hellos.values()
        ]
        return len(words) == 4 and all(b"" in hashes[1:] for hashes in words)

    async def act(server: OneConfigServer, url: str, stop: asyncio.Event) -> None:
        def all_did() -> bool:
            fresh = [m for hellos in server.hellos.values() for m in hellos if m.sequence_num == 1]
            return len(fresh) >= 8 and came_back(server)

        await run_fleet(stop, url, all_did, http_share=http_share, **faulty(Fault.LOSE_STORAGE))

    run(act)


@pytest.mark.parametrize("http_share", [0.0, 1.0], ids=["websocket", "http"])
def test_hosts_set_up_anew_come_under_new_uids(http_share: float) -> None:
    async def act(server: OneConfigServer, url: str, stop: asyncio.Event) -> None:
        await run_fleet(
            stop,
            url,
            lambda: len(server.settled) == 8,
            http_share=http_share,
            **faulty(Fault.RE_IMAGED),
        )

    hellos = [hellos[0] for hellos in run(act).hellos.values()]
    hosts = [
        attribute.value.string_value
        for hello in hellos
        for attribute in hello.agent_description.non_identifying_attributes
        if attribute.key == "host.name"
    ]
    assert len(hosts) == 2 * len(set(hosts)) == 8


def test_agents_that_promise_no_heartbeats_send_none() -> None:
    async def act(server: OneConfigServer, url: str, stop: asyncio.Event) -> None:
        beating = asyncio.Event()
        fast = Server(url, heartbeat_s=0.05)
        calm = {"agents": 4, "http_share": 0.0, "server": fast}
        quiet = {**calm, **faulty(Fault.NO_HEARTBEAT)}
        running = asyncio.create_task(run_fleet(beating, url, beating.is_set, **quiet))
        await until(lambda: len(server.settled) == 4)
        before = server.heartbeats
        # As long as others with heartbeats need for twenty of them.
        others = {**calm, "behaviour": replace(QUICK, seed=2)}
        await run_fleet(stop, url, lambda: server.heartbeats >= before + 20, **others)
        beating.set()
        await running

    beats = run(act).beats_of
    assert len(beats) == 4
