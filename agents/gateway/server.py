"""One gateway process: listens, runs its loops, stops cleanly. Wiring only."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
import random
import time
import uuid
from collections.abc import Coroutine
from typing import Any

from aiohttp import WSCloseCode, web
from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agents.gateway.auth import Denied, Doorkeeper
from agents.gateway.bodies import Bodies
from agents.gateway.connections import Connection
from agents.gateway.database import AWAY, Database, connection_arguments
from agents.gateway.door import Door, problem
from agents.gateway.duplicates import Duplicates
from agents.gateway.flush import Flusher
from agents.gateway.gateway import Gateway
from agents.gateway.http import CONTENT_TYPE, HttpPolls
from agents.gateway.lease import Lease
from agents.gateway.loader import Loader
from agents.gateway.newcomers import Newcomers
from agents.gateway.options import Options
from agents.gateway.otlp import PATH as OWN_METRICS_PATH
from agents.gateway.otlp import OwnMetrics
from agents.gateway.otlp_buffer import SeriesBuffer
from agents.gateway.otlp_offer import own_metrics_offer
from agents.gateway.otlp_token import OwnMetricsTokens
from agents.gateway.redis_hints import MOVED, RedisHints
from agents.gateway.sweep import Sweep
from agents.gateway.websocket import WebSockets
from agents.gateway.wishes import Wishes
from agents.opamp.server_facts import ServerFacts
from agents.opamp.uids import new_uid
from console.lib import hints

logger = logging.getLogger(__name__)

BACKLOG = 4096
_LOOP_TICK_S = 0.05
_CONNECTIONS = ("load", "flush", "read", "series")


class Server:
    """A gateway with its sockets. `start()`, then `stop()`; `port` is the real one.

    `routes` are further routes on the same port, e.g. the receiver of own metrics.
    """

    def __init__(self, options: Options, routes: list[web.RouteDef] | None = None) -> None:
        options.check()
        self.options = options
        self.port = options.port
        self.metrics_port: int | None = None
        self._routes = routes or []
        self._tasks: list[asyncio.Task[None]] = []
        self._runners: list[web.AppRunner] = []
        self._wire()

    def _wire(self) -> None:
        arguments = connection_arguments()
        self._databases = {name: Database(arguments, name) for name in _CONNECTIONS}
        limits, intervals = self.options.limits, self.options.intervals
        bodies = Bodies(self._databases["load"])
        facts = ServerFacts(
            new_uid=lambda: new_uid(int(time.time() * 1000)),
            config_parts=bodies,
            max_answer_bytes=limits.answer_bytes,
        )
        tokens = OwnMetricsTokens([settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])
        facts.fill_offer = tokens.fill
        self.own_metrics = OwnMetrics(tokens, SeriesBuffer(self._databases["series"]))
        self.gateway = gateway = Gateway(self.options, uuid.uuid4(), bodies, facts)
        self.redis = RedisHints(
            settings.REDIS_URL,
            {
                hints.DESIRED: self._hint,
                hints.SETTINGS: self._hint_settings,
                hints.COMMAND: self._hint,
                MOVED: self._hint_moved,
            },
        )
        gateway.flusher = Flusher(
            self._databases["flush"],
            gateway.metrics,
            gateway_id=gateway.id,
            redaction_key=hashlib.sha256(b"redact:" + settings.SECRET_KEY.encode()).digest(),
            interval_s=intervals.flush_s,
            on_written=gateway.written,
            on_news=self._news,
        )
        self.wishes = Wishes(gateway, self._databases["read"])
        gateway.loader = Loader(
            self._databases["load"],
            bodies,
            gateway.id,
            cursor_now=lambda: self.wishes.change,
            adopt=gateway.adopt,
        )
        gateway.duplicates = Duplicates(gateway)
        self.keeper = Doorkeeper(self._databases["load"], self.options.auth, limits)
        self.door = Door(self.keeper, limits, gateway.metrics)
        self.sockets = WebSockets(gateway, self.door)
        self.polls = HttpPolls(gateway, self.door)
        self.newcomers = Newcomers(limits, gateway.metrics)
        self.sweep = Sweep(gateway, self.newcomers)
        self.lease = Lease(self._databases["read"], gateway.id)

    # --- Start -----------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen and begin all loops. Raises OSError when the port is taken."""
        if self._runners:
            raise RuntimeError("this gateway is running already")
        rows = await self._databases["read"].fetch(
            "SELECT components_hash FROM agents_componentset"
        )
        self.gateway.facts.known_components.update(row[0] for row in rows)
        await self.keeper.reload(force=True)
        await self.wishes.begin()
        self._spawn("load", self.gateway.loader.run())
        self._spawn("flush", self.gateway.flusher.run())
        await self._listen()
        self.gateway.facts.default_settings = own_metrics_offer(self.options, self.port)
        self._spawn("series", self.own_metrics.run())
        await self.lease.begin(self.port)
        self._spawn("wishes", self.wishes.run())
        self._spawn("hints", self.redis.run())
        self._spawn("sweep", self.sweep.run())
        self._spawn("lease", self._renew())
        self._spawn("lag", self._watch_loop())
        logger.info(
            "Gateway is ready",
            extra={"host": self.options.host, "port": self.port, "path": self.options.path},
        )

    async def _listen(self) -> None:
        app = web.Application(client_max_size=self.options.limits.message_bytes)
        app.router.add_route("*", self.options.path, self._serve)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_post(OWN_METRICS_PATH, self.own_metrics.serve)
        app.router.add_routes(self._routes)
        self.port = await self._open(app, self.options.port, reuse_port=self.options.reuse_port)
        self.newcomers.servers = [r.server for r in self._runners if r.server is not None]
        if self.options.metrics_port is not None:
            about = web.Application()
            about.router.add_get("/metrics", self._metrics)
            about.router.add_get("/healthz", self._healthz)
            self.metrics_port = await self._open(about, self.options.metrics_port)

    async def _open(self, app: web.Application, port: int, *, reuse_port: bool = False) -> int:
        runner = web.AppRunner(
            app,
            handle_signals=False,
            access_log=None,
            shutdown_timeout=2.0,
            auto_decompress=False,
            keepalive_timeout=120.0,
            max_field_size=16 * 1024,
        )
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(
            runner, self.options.host, port, backlog=BACKLOG, reuse_port=reuse_port or None
        )
        await site.start()
        return int(runner.addresses[0][1])

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(
            asyncio.get_running_loop().create_task(self._guard(name, work), name=name)
        )

    async def _guard(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Say it loudly when a loop dies: a gateway without one of them must not go on."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException:
            logger.exception("A loop of the gateway died", extra={"loop": name})
            self.door.is_draining = True
            raise

    # --- Requests --------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        """Tell the transports apart: the protobuf type is plain HTTP, an upgrade is WebSocket."""
        self.newcomers.has_asked(request.protocol)
        content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        is_poll = content_type == CONTENT_TYPE
        upgrades = request.headers.get("Upgrade", "").strip().lower() == "websocket"
        if is_poll and request.method != "POST":
            return problem(405, "method", "Send the message with POST.", {"Allow": "POST"})
        if not is_poll and not upgrades:
            text = f"Upgrade to WebSocket, or POST with Content-Type {CONTENT_TYPE}."
            return problem(426, "upgrade_required", text, {"Upgrade": "websocket"})
        try:
            principal = await self.door.admit(request)
        except Denied as denied:
            return self.door.refusal(denied)
        if is_poll:
            return await self.polls.serve(request, principal)
        return await self.sockets.serve(request, principal)

    async def _healthz(self, request: web.Request) -> web.Response:
        is_well = not self.door.is_draining and all(not t.done() for t in self._tasks)
        return web.Response(
            status=200 if is_well else 503, text="ok\n" if is_well else "stopping\n"
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        metrics, flusher = self.gateway.metrics, self.gateway.flusher
        metrics.flush_lag.set(flusher.lag_s)
        metrics.unwritten.set(flusher.unwritten)
        metrics.database_away.set(any(d.is_away for d in self._databases.values()))
        body = generate_latest(metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    # --- Loops -----------------------------------------------------------------------------

    def _hint(self, _payload: str) -> None:
        self.wishes.wake()

    def _hint_settings(self, _payload: str) -> None:
        self.wishes.wake()
        self._reload_tokens = True

    _reload_tokens = False

    def _hint_moved(self, payload: str) -> None:
        gateway_id, _, agent_id = payload.partition(":")
        if gateway_id == str(self.gateway.id) and agent_id.isdigit():
            agent = self.gateway.registry.by_id.get(int(agent_id))
            if agent is not None and agent.connected:
                # The write finds out whether it is still ours.
                agent.change().status = True
                self.gateway.flusher.mark(agent)

    async def _news(self, topics: set[str]) -> None:
        await self.redis.mark_dirty({"fleet", "agents", *topics})

    async def _renew(self) -> None:
        """Renew the lease, cut revoked credentials, pass on who moved."""
        interval = self.options.intervals.lease_s
        renewed_at = 0.0
        while True:
            try:
                if time.monotonic() - renewed_at >= interval:
                    await self.lease.renew(self.gateway.registry)
                    renewed_at = time.monotonic()
                forced, self._reload_tokens = self._reload_tokens, False
                self._cut(await self.keeper.reload(force=forced))
            except AWAY as error:
                logger.warning("The lease could not be renewed", extra={"error": str(error)})
            moved, self.gateway.moved = self.gateway.moved, []
            for gateway_id, agent_id in moved:
                await self.redis.tell_moved(gateway_id, agent_id)
            await asyncio.sleep(min(0.5, interval))

    def _cut(self, revoked: list[str]) -> None:
        for connection in list(self.gateway.connections) if revoked else ():
            if connection.principal.name in revoked:
                logger.info("Cut a revoked credential", extra={"address": connection.address})
                self.gateway.duplicates.close_soon(
                    connection, "the credential was revoked", WSCloseCode.POLICY_VIOLATION
                )

    async def _watch_loop(self) -> None:
        """Measure how late the loop is; freeze what has stood for a while out of the collector."""
        gc.set_threshold(50_000, 20, 100)
        gc.freeze()
        lag = self.gateway.metrics.loop_lag
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_LOOP_TICK_S)
            lag.observe(max(0.0, time.perf_counter() - before - _LOOP_TICK_S))

    # --- Stop ------------------------------------------------------------------------------

    async def stop(self, *, drain_s: float | None = None) -> None:
        """Stop: accept nothing new, close connections over a few seconds, write all, end the lease.

        All at once would make every client reconnect in the same instant (OP-09).
        """
        self.door.is_draining = True
        # No listener, rather than a 503: opamp-go clients come back at once, and would wait out
        # its Retry-After instead of finding the next gateway.
        for runner in self._runners:
            for site in list(runner.sites):
                await site.stop()
        patience = self.options.intervals.drain_s if drain_s is None else drain_s
        open_now = [c for c in self.gateway.connections if c.ws is not None]
        await asyncio.gather(*(self._close_late(c, patience) for c in open_now))
        now = time.time()
        for agent in list(self.gateway.registry.connected()):
            if agent.connection is not None:
                self.gateway.leave(agent.connection, agent, "gateway stopped", now)
        for runner in self._runners:
            await runner.cleanup()
        self._runners = []
        try:
            await self.gateway.flusher.flush()
            await self.own_metrics.flush()
            await self.lease.end()
        except AWAY as error:
            logger.warning("Stopped without the database", extra={"error": str(error)})
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self.gateway.duplicates.stop()
        await self.redis.close()
        for database in self._databases.values():
            await database.close()
        logger.info("Gateway has stopped", extra={"port": self.port})

    async def _close_late(self, connection: Connection, patience: float) -> None:
        await asyncio.sleep(random.uniform(0, patience))  # noqa: S311  spread, not secret
        await self.gateway.duplicates.close(
            connection, "the gateway is stopping", WSCloseCode.SERVICE_RESTART
        )
