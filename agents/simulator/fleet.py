"""Runs a simulated fleet: brings it up gently, keeps its ledger, takes it down cleanly."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from agents.opamp import opamp_pb2 as pb
from agents.simulator import ledger
from agents.simulator.agent import Memory, SimulatedAgent
from agents.simulator.connection import (
    TIMEOUT,
    Connection,
    PollingConnection,
    Server,
    WebSocketConnection,
)
from agents.simulator.faults import Behaviour
from agents.simulator.own_metrics import OwnMetrics
from agents.simulator.profile import make_fleet

logger = logging.getLogger(__name__)

_LEDGER_EVERY_S = 0.5
# Writing the ledger of a large fleet takes a while, in which no agent answers: at most one part in so
# many of the time goes to it.
_LEDGER_SHARE = 20
_GOODBYE_PATIENCE_S = 1.5


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """What `manage.py simulate` was asked for. Rates per second, times in seconds."""

    agents: int
    server: Server
    behaviour: Behaviour
    http_share: float = 0.05
    connect_rate: float = 250.0
    initial_config: Path | None = None
    state_file: Path | None = None
    storm_every_s: float | None = None
    own_metrics_s: float = 30.0


class Fleet:
    """All agents of one process."""

    def __init__(self, options: FleetOptions, session: aiohttp.ClientSession) -> None:
        self._options = options
        self._session = session
        self._is_changed = asyncio.Event()
        remembered = ledger.load(options.state_file) if options.state_file else {}
        self.connections = [
            self._connection(agent, session) for agent in make_agents(options, remembered)
        ]

    def _connection(self, agent: SimulatedAgent, session: aiohttp.ClientSession) -> Connection:
        kind = PollingConnection if agent.profile.polls_http else WebSocketConnection
        return kind(agent, self._options.server, session, self._is_changed.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; then say goodbye and write the ledger once more."""
        tasks = [asyncio.create_task(self._connect_all(), name="connect")]
        if self._options.state_file is not None:
            tasks.append(asyncio.create_task(self._keep_ledger(), name="ledger"))
        agents = [connection.agent for connection in self.connections]
        own_metrics = OwnMetrics(agents, self._session, self._options.own_metrics_s)
        tasks.append(asyncio.create_task(own_metrics.run(), name="own metrics"))
        if self._options.storm_every_s is not None:
            tasks.append(asyncio.create_task(self._storms(), name="storms"))
        try:
            await stop.wait()
        finally:
            goodbyes = [connection.say_goodbye() for connection in self.connections]
            try:
                async with asyncio.timeout(_GOODBYE_PATIENCE_S):
                    await asyncio.gather(*goodbyes, return_exceptions=True)
            except TimeoutError:
                logger.warning("some agents could not say goodbye")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._save()

    async def _connect_all(self) -> None:
        """Start the agents at the asked rate, then wait with them."""
        async with asyncio.TaskGroup() as group:
            started = time.monotonic()
            for number, connection in enumerate(self.connections):
                ahead_s = number / self._options.connect_rate - (time.monotonic() - started)
                if ahead_s > 0.01:
                    await asyncio.sleep(ahead_s)
                group.create_task(connection.run())
            # Agents live as long as the process: nobody looks through them for garbage again and again.
            gc.freeze()
            logger.info("fleet started", extra={"agents": len(self.connections)})

    async def _keep_ledger(self) -> None:
        while True:
            await self._is_changed.wait()
            self._is_changed.clear()
            began = time.monotonic()
            self._save()
            took_s = time.monotonic() - began
            await asyncio.sleep(max(_LEDGER_EVERY_S, took_s * _LEDGER_SHARE))

    def _save(self) -> None:
        if self._options.state_file is not None:
            connected = {c.agent.first_uid for c in self.connections if c.is_connected}
            ledger.save(self._options.state_file, (c.agent for c in self.connections), connected)

    async def _storms(self) -> None:
        """Drop every connection at once, again and again."""
        assert self._options.storm_every_s is not None
        while True:
            await asyncio.sleep(self._options.storm_every_s)
            logger.info("reconnect storm", extra={"agents": len(self.connections)})
            drops = [connection.drop() for connection in self.connections]
            await asyncio.gather(*drops, return_exceptions=True)


def make_agents(options: FleetOptions, remembered: dict[bytes, Memory]) -> list[SimulatedAgent]:
    """Return the agents: with what they remember, else running the initial config if one is given."""
    first = Memory()
    if options.initial_config is not None:
        body = options.initial_config.read_bytes()
        config_hash = hashlib.sha256(body).digest()
        first = Memory(
            running=config_hash,
            files={"": body},
            last_hash=config_hash,
            last_status=pb.RemoteConfigStatuses_APPLIED,
            history=[config_hash],
        )
    now_ns = time.time_ns()
    started = random.Random(options.behaviour.seed)  # noqa: S311 - start times to look at
    return [
        SimulatedAgent(
            profile,
            options.behaviour,
            remembered.get(profile.instance_uid) or _copy(first),
            now_ns - int(started.uniform(60, 86_400) * 1e9),
        )
        for profile in make_fleet(options.agents, options.behaviour.seed, options.http_share)
    ]


def _copy(memory: Memory) -> Memory:
    return replace(memory, history=list(memory.history))


async def run(options: FleetOptions, stop: asyncio.Event) -> None:
    """Run a fleet until `stop` is set."""
    gc.set_threshold(50_000, 20, 100)
    certificates = options.server.certificates
    tls = certificates.anonymous if certificates is not None else True
    connector = aiohttp.TCPConnector(limit=0, force_close=False, ssl=tls)
    async with aiohttp.ClientSession(connector=connector, timeout=TIMEOUT) as session:
        await Fleet(options, session).run(stop)
