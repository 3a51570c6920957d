"""A gateway in a thread of its own, on a port of the system's choice, with short intervals."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from agents.gateway.options import Intervals, Limits, Options
from agents.gateway.server import Server

Answer = TypeVar("Answer")
QUICK = Intervals(
    flush_s=0.02,
    poll_s=0.3,
    lease_s=0.3,
    sweep_s=0.2,
    last_seen_s=0.4,
    drain_s=0.2,
    probe_s=0.5,
)
PATH = "/v1/opamp"


class RunningGateway:
    """Start it, talk to `url`, stop it. `run` executes a coroutine in the gateway's own loop."""

    def __init__(self, intervals: Intervals = QUICK, limits: Limits | None = None, **words: Any):
        words.setdefault("port", 0)
        self.options = Options(intervals=intervals, limits=limits or Limits(), **words)
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.server: Server

    def start(self) -> RunningGateway:
        self._thread.start()

        async def begin() -> Server:
            server = Server(self.options)
            try:
                await server.start()
            except BaseException:
                await server.stop(drain_s=0.0)
                raise
            return server

        self.server = self.run(begin())
        return self

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def stop(self, drain_s: float = 0.0) -> None:
        self.run(self.server.stop(drain_s=drain_s))
        self._end_loop()

    def kill(self) -> None:
        """Stop at once, as kill -9 would: nothing is written, no lease is ended."""
        self._end_loop(abandon=True)

    def _end_loop(self, *, abandon: bool = False) -> None:
        async def cancel_all() -> None:
            mine = asyncio.current_task()
            others = [task for task in asyncio.all_tasks() if task is not mine]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        if abandon:
            self.server.gateway.flusher.mark = lambda agent: None  # type: ignore[method-assign]
            self._loop.call_soon_threadsafe(self.server.listener.stop_accepting)
            for connection in list(self.server.gateway.connections):
                self._loop.call_soon_threadsafe(connection.abort)
        self.run(cancel_all())
        if abandon:
            for database in self.server._databases.values():
                self.run(database.close())
            self.run(self.server.redis.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def url(self) -> str:
        return f"{'https' if self.options.tls else 'http'}://127.0.0.1:{self.port}{PATH}"

    @property
    def ws_url(self) -> str:
        return f"{'wss' if self.options.tls else 'ws'}://127.0.0.1:{self.port}{PATH}"


Starter = Callable[..., RunningGateway]
