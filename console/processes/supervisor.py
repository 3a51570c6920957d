"""Runs a set of processes as one: started in order, kept alive, stopped in reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from console.processes.child import Child, Spec, StartFailed, ending
from console.processes.record import ProcessList
from console.processes.stream import LogStream


class Supervisor:
    """Starts groups of processes one after the other and stops the last group first."""

    def __init__(self, stream: LogStream, processes: ProcessList) -> None:
        self._stream = stream
        self._processes = processes
        self._groups: list[list[Child]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def start_group(self, specs: Iterable[Spec]) -> None:
        """Start processes together and wait until all are ready. Raises StartFailed."""
        group = [Child(spec, self._stream, self._processes) for spec in specs]
        self._groups.append(group)
        waits = []
        for child in group:
            task = asyncio.create_task(self._watch(child), name=child.spec.name)
            self._tasks.append(task)
            waits.append(asyncio.create_task(child.wait_ready(), name=f"{child.spec.name}-ready"))
        try:
            await self._all_or_failure(waits)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def run_to_end(self, spec: Spec) -> None:
        """Run a command that ends by itself, with its lines in the stream. Raises StartFailed."""
        child = Child(spec, self._stream, self._processes)
        self._groups.append([child])
        returncode = await child.run_once()
        if returncode != 0:
            raise StartFailed(f"{spec.name} {ending(returncode)}")

    async def stop(self) -> None:
        """Stop everything, last group first; members of a group stop together."""
        for group in reversed(self._groups):
            await asyncio.gather(*(child.stop() for child in group))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def kill(self) -> None:
        """End everything at once (a second Ctrl-C)."""
        for group in self._groups:
            for child in group:
                child.kill()

    async def _watch(self, child: Child) -> None:
        try:
            await child.run()
        except StartFailed as error:
            self._fail(str(error))
        except OSError as error:
            self._fail(f"{child.spec.name} cannot be started: {error}")

    def _fail(self, reason: str) -> None:
        if not self.failure.done():
            self.failure.set_result(reason)

    async def _all_or_failure(self, waits: list[asyncio.Task[None]]) -> None:
        everything: asyncio.Future[list[None]] = asyncio.gather(*waits)
        either: set[asyncio.Future[Any]] = {everything, self.failure}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self.failure.done():
            everything.cancel()
            await asyncio.gather(everything, return_exceptions=True)
            raise StartFailed(self.failure.result())
        await everything
