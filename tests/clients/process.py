"""A child process in a session of its own that never outlives the test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path


def children(pid: int) -> list[int]:
    """Direct children of a process, from /proc; empty when it is gone.

    Go starts children from any of its threads, and each thread lists only its own.
    """
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += [int(word) for word in listing.read_text().split()]
    return found


def is_running(pid: int) -> bool:
    """Tell whether a process exists and is not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def kill(pid: int) -> None:
    """Kill one process at once; it may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class Process:
    """Start on `start()`, end politely with `stop()`, and at last kill the whole session."""

    def __init__(
        self,
        command: list[str],
        *,
        log: Path,
        env: dict[str, str] | None = None,
        pipes: bool = False,
    ) -> None:
        self.command = command
        self.log = log
        self.env = {**os.environ, **(env or {})}
        self.pipes = pipes
        self.popen: subprocess.Popen[bytes] | None = None
        self._groups: list[int] = []

    @property
    def pid(self) -> int:
        assert self.popen is not None, "not started"
        return self.popen.pid

    def start(self) -> None:
        """Start a fresh process; the one before must have ended."""
        assert not self.is_running(), f"{self.command[0]} is running already"
        pipe = subprocess.PIPE if self.pipes else None
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                self.command,
                stdin=pipe or subprocess.DEVNULL,
                stdout=pipe or log,
                stderr=log,
                env=self.env,
                start_new_session=True,
            )
        self._groups.append(self.popen.pid)

    def is_running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process alone, not to its children."""
        assert self.popen is not None
        self.popen.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGINT, timeout_s: float = 10.0) -> int | None:
        """Ask to end, wait, and kill what is left of the session. Returns the exit code."""
        if self.popen is None:
            return None
        if self.is_running():
            self.send(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(timeout_s)
        self.kill_session()
        return self.popen.wait(timeout_s)

    def wait(self, timeout_s: float = 40.0) -> int:
        """Wait for the process to end by itself and return its exit code."""
        assert self.popen is not None
        return self.popen.wait(timeout_s)

    def kill_session(self) -> None:
        """Kill every process of every session started here; nothing may be left of a test."""
        for group in self._groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

    def log_tail(self, size: int = 3000) -> str:
        """The end of the log, for failure texts."""
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""
