"""One process of ours: started, watched, started again when it dies, stopped with its group."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from console.lib.processes import identity
from console.lib.processes.leash import leashed
from console.processes.record import ProcessList
from console.processes.stream import LineSplitter, LogStream

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
# One that lived this long did not die of its start: the next pause is short again.
_LIVED_S = 20.0
_TRIES_BEFORE_READY = 3
_LIVED_A_LITTLE_S = 2.0


class StartFailed(Exception):
    """A process did not come up; the message names it and its end."""


# Three groups stop one after the other (fleet, services, stores), within 10 s in all.
STOP_PATIENCE_S = 3.5


@dataclass(frozen=True, slots=True)
class Spec:
    """How to run one process.

    `is_ready` is asked until it says yes; None: ready once it has not ended at once, as with a
    wrong option.
    """

    name: str
    argv: list[str]
    env: dict[str, str]
    cwd: Path
    is_ready: Callable[[], Awaitable[bool]] | None = None
    ready_patience_s: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_patience_s: float = STOP_PATIENCE_S
    # Commands that are tied to us already (the embedded servers) are run as they are.
    tied: bool = False
    before_start: Callable[[], None] = field(default=lambda: None)
    # Lines that match tell an operator nothing; empty lines never do.
    boring: re.Pattern[str] | None = None


def pause_s(previous_s: float, lived_s: float) -> float:
    """Return how long to wait before the next start: doubling, short again after a long life."""
    if lived_s >= _LIVED_S or previous_s == 0:
        return _FIRST_PAUSE_S
    return min(previous_s * 2, _LONGEST_PAUSE_S)


def ending(returncode: int) -> str:
    """Say how a process ended, in words."""
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"ended with code {returncode}"


class Child:
    """Keeps one process running until `stop`. All methods belong to one event loop."""

    def __init__(self, spec: Spec, stream: LogStream, processes: ProcessList) -> None:
        self.spec = spec
        self.is_ready = asyncio.Event()
        self._stream = stream
        self._processes = processes
        self._process: asyncio.subprocess.Process | None = None
        self._stop_asked = asyncio.Event()
        self._started_at = 0.0

    @property
    def pid(self) -> int | None:
        """The pid while it runs."""
        return self._process.pid if self._process is not None else None

    async def run(self) -> None:
        """Start it, and start it again whenever it ends, until stopped. Raises StartFailed."""
        previous_s, deaths = 0.0, 0
        while not self._stop_asked.is_set():
            started = time.monotonic()
            returncode = await self.run_once()
            if self._stop_asked.is_set():
                return
            deaths += 1
            if not self.is_ready.is_set() and deaths >= _TRIES_BEFORE_READY:
                raise StartFailed(f"{self.spec.name} {ending(returncode)} {deaths} times at start")
            previous_s = pause_s(previous_s, time.monotonic() - started)
            self._stream.write(
                self.spec.name, f"{ending(returncode)}; starting it again in {previous_s:g} s"
            )
            await self._sleep(previous_s)

    async def wait_ready(self) -> None:
        """Wait until the process answers. Raises StartFailed after its patience."""
        deadline = time.monotonic() + self.spec.ready_patience_s
        while self._process is None or not await self._answers():
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{self.spec.name} did not answer within {self.spec.ready_patience_s:g} s"
                )
            await asyncio.sleep(0.05)
        self.is_ready.set()

    async def stop(self) -> None:
        """Ask it to end; after its patience end it, and whatever is left of its group."""
        self._stop_asked.set()
        process = self._process
        if process is None:
            return
        identity.send(process.pid, self.spec.stop_signal, group=False)
        try:
            async with asyncio.timeout(self.spec.stop_patience_s):
                await process.wait()
        except TimeoutError:
            self._stream.write(self.spec.name, "does not end by itself; ending it")
        identity.send(process.pid, signal.SIGKILL, group=True)
        await process.wait()

    def kill(self) -> None:
        """End the whole group at once."""
        self._stop_asked.set()
        if self._process is not None:
            identity.send(self._process.pid, signal.SIGKILL, group=True)

    async def _answers(self) -> bool:
        if self.spec.is_ready is not None:
            return await self.spec.is_ready()
        return time.monotonic() - self._started_at > _LIVED_A_LITTLE_S

    async def run_once(self) -> int:
        """Start it and return its exit code when it has ended."""
        spec = self.spec
        await asyncio.to_thread(spec.before_start)
        if self._stop_asked.is_set():
            return 0
        argv = spec.argv if spec.tied else leashed(spec.argv, death_signal=signal.SIGKILL)
        # A session of its own: Ctrl-C reaches only us, and the group can be ended as a whole.
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=spec.cwd,
            env={**os.environ, **spec.env},
            start_new_session=True,
        )
        self._process = process
        self._started_at = time.monotonic()
        self._processes.add(process.pid, spec.name)
        if self._stop_asked.is_set():  # while it was being started
            self.kill()
        try:
            await self._copy_lines(process)
            return await process.wait()
        finally:
            # Helpers of a process that was killed (a worker's pool) must not work on beside the
            # next one.
            identity.send(process.pid, signal.SIGKILL, group=True)
            self._processes.remove(process.pid)
            self._process = None

    async def _copy_lines(self, process: asyncio.subprocess.Process) -> None:
        """Copy output until the process ends (its helpers may hold the pipe open for longer)."""
        assert process.stdout is not None
        splitter = LineSplitter()
        ended = asyncio.create_task(process.wait(), name=f"{self.spec.name}-end")
        try:
            while True:
                read = asyncio.create_task(process.stdout.read(65536), name="read")
                await asyncio.wait({read, ended}, return_when=asyncio.FIRST_COMPLETED)
                if not read.done():
                    # It ended while others hold the pipe: take what is there already.
                    await asyncio.wait({read}, timeout=0.1)
                if not read.done():
                    read.cancel()
                    break
                data = read.result()
                if not data:
                    break
                self._show(splitter.feed(data))
            self._show(splitter.end())
        finally:
            ended.cancel()

    def _show(self, lines: list[str]) -> None:
        boring = self.spec.boring
        for line in lines:
            if line.strip() and not (boring is not None and boring.search(line)):
                self._stream.write(self.spec.name, line)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop_asked.wait()
        except TimeoutError:
            return
