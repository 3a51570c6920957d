from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from console.lib.processes import identity
from console.processes.child import Spec, StartFailed, ending, pause_s
from console.processes.record import ProcessList
from console.processes.stream import LogStream
from console.processes.supervisor import Supervisor

FOREVER = "import time; print('up', flush=True); time.sleep(60)"


def spec(name: str, script: str, tmp_path: Path, **more: object) -> Spec:
    return Spec(name, [sys.executable, "-c", script], {}, tmp_path, **more)  # type: ignore[arg-type]


def supervise(tmp_path: Path, act: Callable[[Supervisor], Awaitable[None]]) -> str:
    """Run `act` with a supervisor, stop everything, return what was logged."""
    out = io.StringIO()

    async def body() -> None:
        supervisor = Supervisor(LogStream(out, ["one", "two"]), ProcessList(tmp_path))
        try:
            await act(supervisor)
        finally:
            await supervisor.stop()

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await body()

    asyncio.run(bounded())
    return out.getvalue()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the condition is in another process
            await asyncio.sleep(0.02)


def pids(tmp_path: Path, name: str) -> list[int]:
    return [int(line) for line in (tmp_path / name).read_text().split()]


def test_lines_carry_the_name_of_their_process(tmp_path: Path) -> None:
    async def act(supervisor: Supervisor) -> None:
        await supervisor.run_to_end(spec("one", "print('first'); print('second')", tmp_path))

    assert supervise(tmp_path, act) == "one | first\none | second\n"


def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    script = f"import os; print(os.getpid(), file=open('pids', 'a'), flush=True); {FOREVER}"

    async def act(supervisor: Supervisor) -> None:
        await supervisor.start_group([spec("one", script, tmp_path)])
        await until(lambda: (tmp_path / "pids").exists() and bool(pids(tmp_path, "pids")))
        os.kill(pids(tmp_path, "pids")[0], signal.SIGKILL)
        await until(lambda: len(pids(tmp_path, "pids")) == 2)

    log = supervise(tmp_path, act)
    assert "one | was ended by SIGKILL; starting it again in 0.5 s" in log


def test_stopping_leaves_no_process_behind(tmp_path: Path) -> None:
    helper = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import os,time; print(os.getpid(), file=open(\"helper\",\"w\"), flush=True); time.sleep(60)'])"

    async def act(supervisor: Supervisor) -> None:
        await supervisor.start_group([spec("one", f"{helper}; {FOREVER}", tmp_path)])
        await until(lambda: (tmp_path / "helper").exists() and bool(pids(tmp_path, "helper")))

    supervise(tmp_path, act)
    assert identity.start_mark(pids(tmp_path, "helper")[0]) is None


def test_one_that_ignores_the_request_is_ended(tmp_path: Path) -> None:
    stubborn = f"import signal; signal.signal(15, signal.SIG_IGN); open('ready', 'w'); {FOREVER}"

    async def act(supervisor: Supervisor) -> None:
        await supervisor.start_group([spec("one", stubborn, tmp_path, stop_patience_s=0.2)])
        await until(lambda: (tmp_path / "ready").exists())

    assert "one | does not end by itself; ending it" in supervise(tmp_path, act)


def test_a_group_is_ready_when_each_member_answers(tmp_path: Path) -> None:
    async def answers() -> bool:
        return (tmp_path / "answer").exists()

    script = f"open('answer', 'w'); {FOREVER}"

    async def act(supervisor: Supervisor) -> None:
        await supervisor.start_group([spec("one", script, tmp_path, is_ready=answers)])
        assert (tmp_path / "answer").exists()

    supervise(tmp_path, act)


def test_one_that_cannot_start_fails_the_start(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    async def act(supervisor: Supervisor) -> None:
        with pytest.raises(StartFailed, match="one ended with code 3 3 times at start"):
            await supervisor.start_group([spec("one", "exit(3)", tmp_path, is_ready=never)])

    supervise(tmp_path, act)


def test_one_that_never_answers_fails_the_start(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    async def act(supervisor: Supervisor) -> None:
        silent = spec("one", FOREVER, tmp_path, is_ready=never, ready_patience_s=0.3)
        with pytest.raises(StartFailed, match=r"one did not answer within 0\.3 s"):
            await supervisor.start_group([silent])

    supervise(tmp_path, act)


def test_a_failing_command_fails_the_start(tmp_path: Path) -> None:
    async def act(supervisor: Supervisor) -> None:
        with pytest.raises(StartFailed, match="one ended with code 2"):
            await supervisor.run_to_end(spec("one", "exit(2)", tmp_path))

    supervise(tmp_path, act)


def test_pauses_grow_and_are_short_again_after_a_long_life() -> None:
    pauses = [0.0]
    for _ in range(8):
        pauses.append(pause_s(pauses[-1], lived_s=1.0))
    assert pauses[1:] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pause_s(30, lived_s=60) == 0.5


def test_endings_are_said_in_words() -> None:
    assert ending(-9) == "was ended by SIGKILL"
    assert ending(1) == "ended with code 1"


def test_one_that_ends_at_once_was_never_ready(tmp_path: Path) -> None:
    async def act(supervisor: Supervisor) -> None:
        with pytest.raises(StartFailed, match="one ended with code 2 3 times at start"):
            await supervisor.start_group([spec("one", "exit(2)", tmp_path)])

    supervise(tmp_path, act)
