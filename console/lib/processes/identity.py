"""Which process is this? A pid alone is not enough, because numbers are used again.

A process is named by its pid and the time it started; both are written down when we start it, so
that a later run ends only what an earlier run of the same data directory left behind.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path


def start_mark(pid: int) -> str | None:
    """Return a text that is the same for the whole life of a process and for no other.

    None when there is no such process (a zombie counts as none).
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None if Path("/proc/self/stat").exists() else _start_mark_from_ps(pid)
    # The name in brackets may hold spaces and brackets of its own.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _start_mark_from_ps(pid: int) -> str | None:
    ps = shutil.which("ps")
    if ps is None:
        return None
    command = [ps, "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    text = answer.stdout.strip()
    return None if not text or text.startswith("Z") else text.partition(" ")[2]


def is_same(pid: int, mark: str) -> bool:
    """Say whether the process that had this pid and mark still runs."""
    return start_mark(pid) == mark


def working_directory(pid: int) -> Path | None:
    """Return the directory a process works in; None where that cannot be read."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return None


def end(pid: int, mark: str, signals: list[tuple[signal.Signals, float]], group: bool) -> bool:
    """Send signals one after the other, waiting the given seconds after each, until it is gone.

    With `group` the whole process group of that pid is meant. Returns False when it is still there.
    """
    for signal_number, patience_s in signals:
        if not is_same(pid, mark):
            return True
        send(pid, signal_number, group=group)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if not is_same(pid, mark):
                return True
            time.sleep(0.02)
    return not is_same(pid, mark)


def send(pid: int, signal_number: int, *, group: bool) -> None:
    """Send a signal to a process or its group; one that has gone already is fine."""
    try:
        if group:
            os.killpg(pid, signal_number)
        else:
            os.kill(pid, signal_number)
    except (ProcessLookupError, PermissionError):
        return
