"""What the two embedded servers share: a prepared command, starting it, waiting for it, ending it."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from console.lib.processes import identity

_START_PATIENCE_S = 60.0


class EmbeddedError(Exception):
    """An embedded server cannot start; the message says why and what helps."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A server that is ready to be started, as often as needed, always at the same address."""

    name: str
    argv: list[str]
    url: str
    is_ready: Callable[[], bool]
    log_path: Path
    stop_signal: signal.Signals
    cwd: Path
    clear_leftovers: Callable[[], None]
    env: dict[str, str] = field(default_factory=dict)


class Running:
    """A started server: where it answers and how to stop it. Stopping twice is harmless."""

    def __init__(self, prepared: Prepared, process: subprocess.Popen[bytes]) -> None:
        self.url = prepared.url
        self.pid = process.pid
        self._stop_signal = prepared.stop_signal
        self._process = process

    def stop(self, patience_s: float = 10.0) -> None:
        """Stop cleanly; after `patience_s` by force."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(self._stop_signal)
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start(prepared: Prepared) -> Running:
    """Start a prepared server and wait until it answers. Raises EmbeddedError."""
    prepared.clear_leftovers()
    with prepared.log_path.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            prepared.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=prepared.cwd,
            env={**os.environ, **prepared.env},
            # Ctrl-C in the terminal is for us; the servers are stopped last, by us.
            start_new_session=True,
        )
    running = Running(prepared, process)
    deadline = time.monotonic() + _START_PATIENCE_S
    while time.monotonic() < deadline:
        if prepared.is_ready():
            return running
        if process.poll() is not None:
            raise EmbeddedError(
                f"{prepared.name} ended with code {process.returncode}:\n{tail(prepared.log_path)}"
            )
        time.sleep(0.02)
    running.stop(patience_s=1)
    raise EmbeddedError(
        f"{prepared.name} did not answer within {_START_PATIENCE_S:.0f} s:\n"
        f"{tail(prepared.log_path)}"
    )


def tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of a log, for an error message."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return f"(no log at {path})"


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kept_secret(path: Path) -> str:
    """Return the secret kept in `path` (readable by us alone), making it the first time."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(24))
    return path.read_text().strip()


def end_leftover(
    pid: int, cwd: Path, signals: list[tuple[signal.Signals, float]], name: str
) -> None:
    """End a server of an earlier run whose parent died; raise EmbeddedError if it will not go.

    Only a process that works in `cwd`, the server's own directory, is touched: the pid file may be
    from before a reboot and the number in it anyone's.
    """
    mark = identity.start_mark(pid)
    if mark is None or identity.working_directory(pid) != cwd.resolve():
        return
    if not identity.end(pid, mark, signals, group=False):
        raise EmbeddedError(f"an old {name} (pid {pid}) still works on {cwd} and does not end")
