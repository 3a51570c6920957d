"""One gateway process: listens, runs its loops, stops cleanly. Wiring only."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import time
from collections.abc import Coroutine
from typing import Any

from aiohttp import web
from django.conf import settings

from agents.gateway.connections import Connection
from agents.gateway.database import AWAY, Database, connection_arguments
from agents.gateway.lease import SOON_S, Lease
from agents.gateway.moves import Moves
from agents.gateway.options import Options
from agents.gateway.own_metrics.buffer import SeriesBuffer
from agents.gateway.own_metrics.offer import own_metrics_offer
from agents.gateway.own_metrics.receiver import PATH as OWN_METRICS_PATH
from agents.gateway.own_metrics.receiver import OwnMetrics
from agents.gateway.own_metrics.token import OwnMetricsTokens
from agents.gateway.redis_hints import RedisHints
from agents.gateway.registry.bodies import Bodies
from agents.gateway.registry.gateway import Gateway
from agents.gateway.registry.signatures import Signatures
from agents.gateway.registry.wishes import Wishes
from agents.gateway.sockets.auth import Doorkeeper
from agents.gateway.sockets.books import Books
from agents.gateway.sockets.caller import Callers
from agents.gateway.sockets.door import Door
from agents.gateway.sockets.listener import Listener
from agents.gateway.sockets.reception import Reception
from agents.gateway.sockets.revoking import Revoking
from agents.gateway.sweep import Sweep
from agents.gateway.tls.current import CurrentTls
from agents.gateway.tls.self_test import check_own_handshake
from agents.opamp.server_facts import ServerFacts
from agents.opamp.uids import new_uid
from agents.opamp.websocket import frames
from agents.redacting import own_redactor
from console.lib import hints

logger = logging.getLogger(__name__)

OVERLOADED_AFTER_S = 5.0
_LOOP_TICK_S = 0.05
_CONNECTIONS = ("load", "flush", "read", "series")


class Server:
    """A gateway with its sockets. `start()`, then `stop()`; `port` is the real one.

    `routes` are further routes on the same port, e.g. the receiver of own metrics.
    """

    def __init__(self, options: Options, routes: list[web.RouteDef] | None = None) -> None:
        options.check()
        self.options = options
        self._routes = routes or []
        self._tasks: list[asyncio.Task[None]] = []
        self.died = asyncio.Event()
        self._wire()

    def _wire(self) -> None:
        arguments = connection_arguments()
        self._databases = {name: Database(arguments, name) for name in _CONNECTIONS}
        limits = self.options.limits
        self.signatures = Signatures(
            self._databases["load"], is_required=settings.CONFIG_SIGNING_REQUIRED
        )
        bodies = Bodies(self._databases["load"], self.signatures)
        facts = ServerFacts(
            new_uid=lambda: new_uid(int(time.time() * 1000)),
            config_parts=bodies,
            signature_parts=self.signatures.parts,
            max_answer_bytes=limits.answer_bytes,
        )
        tokens = OwnMetricsTokens([settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])
        facts.fill_offer = tokens.fill
        self.own_metrics = OwnMetrics(tokens, SeriesBuffer(self._databases["series"]))
        self.gateway = gateway = Gateway(
            self.options,
            bodies,
            facts,
            loading=self._databases["load"],
            writing=self._databases["flush"],
            redactor=own_redactor(),
            on_news=self._news,
        )
        self.moves = Moves(gateway)
        self.redis = RedisHints(
            settings.REDIS_URL,
            {
                hints.DESIRED: self._hint,
                hints.SETTINGS: self._hint_settings,
                hints.COMMAND: self._hint,
                hints.MOVED: self.moves.heard,
                hints.SIGNED: self.signatures.look_now,
            },
        )
        self.wishes = Wishes(gateway, self._databases["read"])
        self._wire_door()

    def _wire_door(self) -> None:
        options, gateway = self.options, self.gateway
        database = self._databases["load"]
        self.tls = CurrentTls(options.tls, gateway.metrics) if options.tls is not None else None
        self.keeper = Doorkeeper(database, options.auth, options.limits, options.tls)
        self.revoking = Revoking(self.keeper, gateway.connections, self.tls, gateway.store)
        callers = Callers(options.proxies, gateway.metrics)
        metrics = gateway.metrics
        self.door = Door(self.keeper, callers, options.limits, metrics, gateway.refusals)
        self.books = Books(gateway, self.door)
        self.reception = Reception(gateway, self.door, self.books, options.paths)
        self.listener = Listener(
            options,
            self.door,
            self.reception,
            metrics,
            tls=self.tls,
            is_well=self._is_well,
            before_metrics=self._before_metrics,
        )
        self.sweep = Sweep(gateway, self.listener, self.reception, self.books)
        self.lease = Lease(self._databases["read"], gateway.id)

    @property
    def port(self) -> int:
        """The port of OpAMP; real once started."""
        return self.listener.port

    @property
    def metrics_port(self) -> int | None:
        return self.listener.metrics_port

    # --- Start -----------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen and begin all loops. Raises OSError when the port is taken."""
        if self.listener.is_open:
            raise RuntimeError("this gateway is running already")
        rows = await self._databases["read"].fetch(
            "SELECT components_hash FROM agents_componentset"
        )
        self.gateway.facts.known_components.update(row[0] for row in rows)
        await self.keeper.reload(force=True)
        if self.tls is not None:
            self.tls.begin(self.keeper.certificates.bundle)
        await self.wishes.begin()
        self._spawn("load", self.gateway.loader.run())
        self._spawn("flush", self.gateway.flusher.run())
        self._spawn("shown configs", self.gateway.shown_configs.run())
        own_metrics = web.post(OWN_METRICS_PATH, self.own_metrics.serve)
        await self.listener.open([own_metrics, *self._routes])
        if self.tls is not None:
            await check_own_handshake(self.options.host, self.port, self.tls.pair)
        self.gateway.facts.default_settings = own_metrics_offer(self.options, self.port)
        self._spawn("series", self.own_metrics.run())
        await self.lease.begin(self.port)
        self._spawn("wishes", self.wishes.run())
        self._spawn("hints", self.redis.run())
        self._spawn("signatures", self.signatures.run())
        self._spawn("sweep", self.sweep.run())
        every_s = self.options.intervals.lease_s
        self._spawn("lease", self.lease.run(self.gateway.registry, every_s))
        self._spawn("revoking", self.revoking.run(min(SOON_S, every_s), self.port))
        self._spawn("moves", self.moves.run(self.redis, min(SOON_S, every_s)))
        self._spawn("lag", self._watch_loop())
        logger.info(
            "Gateway is ready",
            extra={"host": self.options.host, "port": self.port, "path": self.options.path},
        )

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(
            asyncio.get_running_loop().create_task(self._guard(name, work), name=name)
        )

    async def _guard(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Say it loudly when a loop dies: a gateway without one of them must not go on. Who runs
        it waits for `died`, stops it and has it started again."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException:
            logger.exception("A loop of the gateway died", extra={"loop": name})
            self.door.is_draining = True
            self.died.set()
            raise

    def _is_well(self) -> bool:
        if self.keeper.is_blind:
            return False
        return not self.door.is_draining and all(not task.done() for task in self._tasks)

    def _before_metrics(self) -> None:
        self.books.publish()
        metrics, flusher = self.gateway.metrics, self.gateway.flusher
        metrics.flush_lag.set(flusher.lag_s)
        metrics.unwritten.set(flusher.unwritten)
        metrics.database_away.set(any(d.is_away for d in self._databases.values()))

    def look_at_files(self) -> None:
        """Take changed TLS files and authorities now, not within seconds (SIGHUP)."""
        self.revoking.look_now()

    # --- Loops -----------------------------------------------------------------------------

    def _hint(self, _payload: str) -> None:
        self.wishes.wake()

    def _hint_settings(self, _payload: str) -> None:
        self.wishes.wake()
        self.revoking.look_now()

    async def _news(self, topics: set[str]) -> None:
        await self.redis.tell_news(topics)
        await self.redis.mark_dirty({"fleet", "agents", *topics})

    async def _watch_loop(self) -> None:
        """Measure how late the loop is; freeze what has stood for a while out of the collector."""
        gc.set_threshold(50_000, 20, 100)
        gc.freeze()
        lag = self.gateway.metrics.loop_lag
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_LOOP_TICK_S)
            lag.observe(max(0.0, time.perf_counter() - before - _LOOP_TICK_S))
            self.door.is_overloaded = self.gateway.flusher.lag_s > OVERLOADED_AFTER_S

    # --- Stop ------------------------------------------------------------------------------

    async def stop(self, *, drain_s: float | None = None) -> None:
        """Stop: accept nothing new, close connections over a few seconds, write all, end the lease.

        All at once would make every client reconnect in the same instant (OP-09).
        """
        self.door.is_draining = True
        self.listener.stop_accepting()
        patience = self.options.intervals.drain_s if drain_s is None else drain_s
        open_now = list(self.gateway.connections)
        await asyncio.gather(*(self._close_late(c, patience) for c in open_now))
        await self._wait_for_goodbyes()
        now = time.time()
        for agent in list(self.gateway.registry.connected()):
            if agent.connection is not None:
                self.gateway.leave(agent.connection, agent, "gateway stopped", now)
        await self.listener.close()
        try:
            await self.gateway.flusher.flush()
            await self.sweep.write_refused()
            await self.own_metrics.flush()
            await self.lease.end()
        except AWAY as error:
            logger.warning("Stopped without the database", extra={"error": str(error)})
        except Exception:
            logger.exception("Stopped with something unwritten")
        await self._end_loops()
        await self.gateway.duplicates.stop()
        await self.redis.close()
        for database in self._databases.values():
            await database.close()
        logger.info("Gateway has stopped", extra={"port": self.port})

    async def _end_loops(self) -> None:
        """Cancel the loops until all have ended: a library may swallow a cancellation."""
        running = set(self._tasks)
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=1.0)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _close_late(self, connection: Connection, patience: float) -> None:
        await asyncio.sleep(random.uniform(0, patience))  # noqa: S311  spread, not secret
        connection.close(frames.SERVICE_RESTART, "the gateway is stopping")

    async def _wait_for_goodbyes(self) -> None:
        """Let clients finish the closing handshake for a moment, then cut them."""
        for _ in range(int(self.options.intervals.goodbye_s / 0.02)):
            if not self.gateway.connections:
                return
            await asyncio.sleep(0.02)
        for connection in list(self.gateway.connections):
            connection.abort()
        await asyncio.sleep(0)
