"""The ports of a gateway: OpAMP with its neighbours on one, what it says about itself on another."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agents.gateway.metrics import Metrics
from agents.gateway.options import Options
from agents.gateway.sockets.bind import bind
from agents.gateway.sockets.caller import peer_of
from agents.gateway.sockets.door import Door, problem
from agents.gateway.sockets.http import HttpPolls
from agents.gateway.sockets.not_admitted import NotAdmitted
from agents.gateway.sockets.reception import Reception
from agents.gateway.sockets.tls_port import TlsPort
from agents.gateway.tls.current import CurrentTls
from agents.opamp.websocket.upgrade_head import (
    PROTOBUF,
    UID_HEADER,
    Upgrade,
    media_type,
    upgrade_in,
)
from console.lib.keepalive import keepalive

BACKLOG = 4096
# A lost connection ends about as soon as one whose heartbeats stop.
_NOTICE_LOSS = keepalive(idle_s=60, interval_s=10, count=3, timeout_s=90)


async def _end_refused(_request: web.Request, response: web.StreamResponse) -> None:
    """Let nobody keep a connection open who was refused: plain HTTP is counted by no limit."""
    if response.status >= 400:
        response.force_close()
        response.headers["Connection"] = "close"


def _notice_loss(listening: socket.socket) -> None:
    """Set what every connection inherits. An agent may be silent for days; a host that is gone without
    a word would stay connected as long."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _NOTICE_LOSS.items():
        listening.setsockopt(socket.IPPROTO_TCP, option, value)


def _headers(request: web.Request) -> dict[str, list[str]]:
    """Return the headers by lower-case name."""
    return {name.lower(): request.headers.getall(name) for name in request.headers}


class Listener:
    """Opens and closes the ports. `port` and `metrics_port` are the real ones."""

    def __init__(
        self,
        options: Options,
        door: Door,
        reception: Reception,
        metrics: Metrics,
        *,
        tls: CurrentTls | None,
        is_well: Callable[[], bool],
        before_metrics: Callable[[], None],
    ) -> None:
        self._options = options
        self._door = door
        self._reception = reception
        self._polls = HttpPolls(reception.gateway, door)
        self._metrics = metrics
        self._tls = tls
        self._tls_port: TlsPort | None = None
        self._is_well = is_well
        self._before_metrics = before_metrics
        self._runners: list[web.AppRunner] = []
        self._servers: list[asyncio.AbstractServer] = []
        self.port = options.port
        self.metrics_port: int | None = None

    @property
    def is_open(self) -> bool:
        return bool(self._runners)

    async def open(self, routes: Iterable[web.AbstractRouteDef]) -> None:
        """Listen. Raises OSError when a port is taken."""
        options = self._options
        app = web.Application(client_max_size=options.limits.message_bytes)
        app.on_response_prepare.append(_end_refused)
        for path in options.paths:
            app.router.add_route("*", path, self._poll)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_routes(routes)
        server = (await self._run(app)).server
        assert server is not None
        self._reception.http = server
        self.port = await self._open_opamp()
        if options.metrics_port is not None:
            about = web.Application()
            about.router.add_get("/metrics", self._show_metrics)
            about.router.add_get("/healthz", self._healthz)
            own = (await self._run(about)).server
            assert own is not None
            self.metrics_port = await self._bind(own, options.metrics_port)

    async def _open_opamp(self) -> int:
        options = self._options
        if self._tls is None:
            return await self._bind(self._reception, options.port, options.reuse_port or None)
        sockets = await bind(options.host, options.port, BACKLOG, reuse_port=options.reuse_port)
        for listening in sockets:
            _notice_loss(listening)
        self._tls_port = TlsPort(
            self._tls,
            self._reception,
            options.limits,
            self._metrics,
            self._reception.gateway.refusals,
        )
        self._tls_port.serve(sockets)
        return int(sockets[0].getsockname()[1])

    @property
    def unfinished_handshakes(self) -> int:
        return self._tls_port.unfinished if self._tls_port is not None else 0

    def look(self) -> None:
        """Cut who opened a connection and does not begin."""
        if self._tls_port is not None:
            self._tls_port.look()

    async def _run(self, app: web.Application) -> web.AppRunner:
        runner = web.AppRunner(
            app,
            handle_signals=False,
            access_log=None,
            shutdown_timeout=self._options.intervals.requests_s,
            auto_decompress=False,
            keepalive_timeout=120.0,
            max_field_size=16 * 1024,
        )
        await runner.setup()
        self._runners.append(runner)
        return runner

    async def _bind(
        self, protocols: Callable[[], asyncio.Protocol], port: int, reuse_port: bool | None = None
    ) -> int:
        server = await asyncio.get_running_loop().create_server(
            protocols, self._options.host, port, backlog=BACKLOG, reuse_port=reuse_port
        )
        for listening in server.sockets:
            _notice_loss(listening)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def stop_accepting(self) -> None:
        """Close the listening sockets. No listener, rather than a 503: opamp-go clients come back
        at once, and would wait out its Retry-After instead of finding the next gateway."""
        for server in self._servers:
            server.close()
        if self._tls_port is not None:
            self._tls_port.close()

    async def close(self) -> None:
        """Close everything, open requests included."""
        self.stop_accepting()
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        self._runners, self._servers = [], []

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        """Serve what is not an upgrade: plain HTTP by its media type, the rest is told how."""
        upgrade = self._upgrade_of(request)
        if upgrade is not None:
            return self._hand_over(request, upgrade)
        if media_type(request.headers.get("Content-Type", "")) != PROTOBUF:
            text = f"Upgrade to WebSocket, or POST with Content-Type {PROTOBUF}."
            return problem(426, "upgrade_required", text, {"Upgrade": "websocket"})
        if request.method != "POST":
            return problem(405, "method", "Send the message with POST.", {"Allow": "POST"})
        address = peer_of(request.transport)[0]
        try:
            caller = self._door.callers.of(request.transport, _headers(request))
            address = caller.address
            principal = await self._door.look_up(caller)
        except NotAdmitted as denied:
            claimed = request.headers.get(UID_HEADER, "")
            return self._door.refusal(address, denied, claimed)
        return await self._polls.serve(request, caller, principal)

    def _upgrade_of(self, request: web.Request) -> Upgrade | None:
        """Return the upgrade that a kept-alive connection asks for after other requests."""
        if request.method != "GET":
            return None
        return upgrade_in(_headers(request))

    def _hand_over(self, request: web.Request, upgrade: Upgrade) -> web.StreamResponse:
        """Give the connection to the reception. For aiohttp it is lost from here on, so what is
        returned goes nowhere."""
        transport = request.transport
        if transport is not None:
            request.protocol.transport = None  # or it would close it
            request.protocol.connection_lost(None)
            self._reception.upgrade(transport, upgrade, b"")
        return web.Response()

    async def _healthz(self, request: web.Request) -> web.Response:
        is_well = self._is_well()
        return web.Response(status=200 if is_well else 503, text="ok\n" if is_well else "no\n")

    async def _show_metrics(self, request: web.Request) -> web.Response:
        self._before_metrics()
        body = generate_latest(self._metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
