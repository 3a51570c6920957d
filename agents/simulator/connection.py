"""How a simulated agent talks: over a WebSocket, or by polling with HTTP POST.

A dropped connection is taken up again after a pause that grows and is spread, as real clients do.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import aiohttp
from google.protobuf.message import DecodeError

from agents.opamp import opamp_pb2 as pb
from agents.opamp import wire
from agents.simulator.agent import SimulatedAgent
from agents.simulator.certificates import Certificates

logger = logging.getLogger(__name__)

_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 8.0
TIMEOUT = aiohttp.ClientTimeout(total=None, connect=15, sock_connect=15)
_TROUBLE = (aiohttp.ClientError, OSError, TimeoutError, DecodeError, wire.Malformed)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the agents connect and how often they speak. Times in seconds."""

    url: str
    heartbeat_s: float = 30.0
    poll_s: float = 5.0
    headers: tuple[tuple[str, str], ...] = ()
    certificates: Certificates | None = None

    def tls_of(self, agent: SimulatedAgent) -> ssl.SSLContext | bool:
        """Return what an agent connects with; True is the library's own way."""
        return self.certificates.of(agent.profile.instance_uid) if self.certificates else True

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1) if self.url.startswith("http") else self.url

    @property
    def http_url(self) -> str:
        return self.url.replace("ws", "http", 1) if self.url.startswith("ws") else self.url


class Connection:
    """What both ways share: the pause between tries and the news that something changed."""

    def __init__(
        self,
        agent: SimulatedAgent,
        server: Server,
        session: aiohttp.ClientSession,
        changed: Callable[[], None],
    ) -> None:
        self.agent = agent
        self.is_connected = False
        self._server = server
        self._session = session
        self._changed = changed
        self._spread = random.Random(agent.profile.instance_uid)  # noqa: S311 - timing only
        self._pause_s = 0.0

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Stay connected until cancelled, or until the agent is gone for ever."""
        while True:
            try:
                await self._talk()
            except _TROUBLE as error:
                logger.debug(
                    "connection lost", extra={"agent": self.agent.profile.index, "error": error}
                )
            finally:
                self._set_connected(False)
            if self.agent.gone:
                self._changed()
                return
            if self.agent.reborn:
                self.agent.reborn = False
                continue
            self._pause_s = min(max(self._pause_s * 2, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S)
            await asyncio.sleep(self._pause_s * self._spread.uniform(0.5, 1.5))

    async def drop(self) -> None:
        """Lose the connection, as if the network had."""

    async def say_goodbye(self) -> None:
        """Send the disconnect message, where this way of talking has one."""

    async def _talk(self) -> None:
        raise NotImplementedError

    @property
    def _has_ended(self) -> bool:
        """Whether the agent's process is no more: its connection goes with it, without a word."""
        return self.agent.gone or self.agent.reborn

    def _heartbeat_s(self) -> float:
        if not self.agent.beats:
            return math.inf
        return self.agent.heartbeat_s or self._server.heartbeat_s

    def _set_connected(self, is_connected: bool) -> None:
        if is_connected:
            self._pause_s = 0.0
        if is_connected != self.is_connected:
            self.is_connected = is_connected
            self._changed()


class WebSocketConnection(Connection):
    """OpAMP over a WebSocket: one reader, and timers for what comes later."""

    _socket: aiohttp.ClientWebSocketResponse | None = None
    _has_met_server = False
    _timer: asyncio.TimerHandle | None = None
    _heartbeat_at = 0.0
    _writing: asyncio.Future[Any] | None = None

    async def drop(self) -> None:
        if self._socket is not None:
            await self._socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)

    async def say_goodbye(self) -> None:
        if self._socket is not None and not self._socket.closed and not self.agent.dead:
            await self._send([self.agent.goodbye()])
            await self._socket.close()

    async def _talk(self) -> None:
        connecting = self._session.ws_connect(
            self._server.ws_url,
            headers=self._server.headers,
            ssl=self._server.tls_of(self.agent),
            compress=0,
            max_msg_size=0,
            autoping=True,
        )
        async with connecting as socket:
            self._socket = socket
            try:
                await self._send([self.agent.hello(again=self._has_met_server)])
                self._has_met_server = True
                self._set_connected(True)
                self._plan_heartbeat()
                self._arm()
                await self._read(socket)
            finally:
                self._socket = None
                if self._timer is not None:
                    self._timer.cancel()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.BINARY:
                continue
            replies = self.agent.receive(wire.decode_from_server(frame.data), self.now())
            if self.agent.dead:
                # Silent: the socket stays open and nobody is there.
                self._changed()
                await asyncio.Event().wait()
            if replies:
                await self._send(replies)
            self._arm()

    def _arm(self) -> None:
        """Set one timer for whatever comes first: the next heartbeat or a thing that falls due."""
        if self._timer is not None:
            self._timer.cancel()
        next_at = self._heartbeat_at
        if self.agent.due_at is not None:
            next_at = min(next_at, self.agent.due_at)
        if next_at == math.inf:
            return
        # The loop's clock counts milliseconds: a timer may ring a little before its time.
        wait_s = max(next_at - self.now(), 0.0) + 0.002
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._on_timer)

    def _on_timer(self) -> None:
        if self._socket is None or self.agent.dead:
            return
        now = self.now()
        messages = self.agent.due(now)
        if self._has_ended:
            self._writing = asyncio.ensure_future(self._socket.close())
            return
        if now >= self._heartbeat_at:
            self._plan_heartbeat()
            messages = messages or [self.agent.heartbeat()]
        if messages:
            self._writing = asyncio.ensure_future(self._send_quietly(messages))
        self._arm()

    def _plan_heartbeat(self) -> None:
        self._heartbeat_at = self.now() + self._heartbeat_s() * self._spread.uniform(0.9, 1.0)

    async def _send_quietly(self, messages: Iterable[pb.AgentToServer]) -> None:
        try:
            await self._send(messages)
        except _TROUBLE:
            # The reader sees the same end and connects again.
            return

    async def _send(self, messages: Iterable[pb.AgentToServer]) -> None:
        socket = self._socket
        for message in messages:
            if socket is not None and not socket.closed:
                await socket.send_bytes(wire.encode(message))
            if message.HasField("remote_config_status") or message.HasField("health"):
                self._changed()


class PollingConnection(Connection):
    """OpAMP over HTTP: a POST at each interval, and at once when there is something to say.

    Each agent has a TCP connection of its own, as agents on hosts of their own do.
    """

    async def run(self) -> None:
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector, timeout=TIMEOUT) as self._session:
            await super().run()

    async def _talk(self) -> None:
        to_send = [self.agent.hello(again=False)]
        while True:
            while to_send:
                to_send += await self._post(to_send.pop(0))
                self._set_connected(True)
            if self.agent.dead:
                self._changed()
                await asyncio.Event().wait()
            await asyncio.sleep(self._wait_s())
            to_send = self.agent.due(self.now())
            if self._has_ended:
                return
            to_send = to_send or [self.agent.heartbeat()]

    def _wait_s(self) -> float:
        wait_s = self._server.poll_s * self._spread.uniform(0.9, 1.0)
        if self.agent.due_at is not None:
            wait_s = min(wait_s, max(self.agent.due_at - self.now(), 0.0))
        return wait_s

    async def _post(self, message: pb.AgentToServer) -> list[pb.AgentToServer]:
        headers = [
            ("Content-Type", "application/x-protobuf"),
            ("OpAMP-Instance-UID", self.agent.profile.identifying["service.instance.id"]),
            *self._server.headers,
        ]
        posting = self._session.post(
            self._server.http_url,
            data=message.SerializeToString(),
            headers=headers,
            ssl=self._server.tls_of(self.agent),
        )
        async with posting as answer:
            body = await answer.read()
            if answer.status in (429, 503):
                await asyncio.sleep(_retry_after_s(answer.headers.get("Retry-After", "")))
            answer.raise_for_status()
        if message.HasField("remote_config_status"):
            self._changed()
        return self.agent.receive(pb.ServerToAgent.FromString(body), self.now())


def _retry_after_s(text: str) -> float:
    return min(float(text), 60.0) if text.isdigit() else 1.0
