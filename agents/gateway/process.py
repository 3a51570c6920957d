"""A gateway as an operating system process: loop, signals, and several on one port."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import resource
import signal
import time
from dataclasses import replace
from multiprocessing.process import BaseProcess

import uvloop

from agents.gateway.options import Options, is_loopback
from agents.gateway.server import Server
from agents.gateway.worker import begin

logger = logging.getLogger(__name__)

_RESTART_AFTER_S = 1.0
_STOP_PATIENCE_S = 20.0


class GatewayDied(RuntimeError):
    """The gateway stopped by itself, as cleanly as it could: start it again."""


def default_auth(host: str, *, has_certificates: bool = False) -> str:
    """Return the authentication for a listener where none was named."""
    if is_loopback(host):
        return "none"
    return "any" if has_certificates else "token"


def run(options: Options, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError when the port is taken, GatewayDied."""
    if workers > 1:
        _run_workers(options, workers)
    else:
        _raise_open_files()
        uvloop.run(_serve(options))


async def _serve(options: Options) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    _stop_with_parent(loop, stop)
    server = Server(options)
    loop.add_signal_handler(signal.SIGHUP, server.look_at_files)
    try:
        await server.start()
    except BaseException:
        await server.stop(drain_s=0.0)
        raise
    await _first_of(stop, server.died)
    # A second signal ends the patience.
    stop.clear()
    stopping = loop.create_task(server.stop(), name="stop")
    hurry = loop.create_task(stop.wait(), name="hurry")
    await asyncio.wait([stopping, hurry], return_when=asyncio.FIRST_COMPLETED)
    if not stopping.done():
        stopping.cancel()
        await server.stop(drain_s=0.0)
    hurry.cancel()
    if server.died.is_set():
        raise GatewayDied("a loop of the gateway died; see the log before this")


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()


def _stop_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Let a worker drain when who started it is gone: nobody else would ever end it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def gone() -> None:
        loop.remove_reader(sentinel)
        logger.error("The process that started this worker is gone")
        stop.set()

    loop.add_reader(sentinel, gone)


def _raise_open_files() -> None:
    """One agent is one open file: take all the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _run_workers(options: Options, workers: int) -> None:
    """Run several processes on one port; one that dies is started again, SIGHUP goes to each."""
    context = multiprocessing.get_context("spawn")
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    running = {index: _start(context, options, index) for index in range(workers)}

    def pass_on(number: int, _frame: object) -> None:
        for process in running.values():
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, number)

    signal.signal(signal.SIGHUP, pass_on)
    while not stopping:
        time.sleep(0.2)
        for index, process in running.items():
            if not process.is_alive() and not stopping:
                logger.error("A gateway worker died", extra={"worker": index, "pid": process.pid})
                time.sleep(_RESTART_AFTER_S)
                running[index] = _start(context, options, index)
    for process in running.values():
        process.terminate()
    deadline = time.monotonic() + _STOP_PATIENCE_S
    for process in running.values():
        process.join(max(0.1, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()


def _start(
    context: multiprocessing.context.SpawnContext, options: Options, index: int
) -> BaseProcess:
    port = options.metrics_port
    own = replace(options, metrics_port=port + index if port else port)
    process = context.Process(target=begin, args=(own,), name=f"gateway-{index}", daemon=True)
    process.start()
    return process
