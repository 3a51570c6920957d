"""What runs for a data directory: the lock that one `up` holds, and the list of its processes.

The lock is the kernel's, so it is gone with its holder, however that ended. The list is for the next
`up` after a kill -9: it ends those processes, by pid and start time, and no others.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
from pathlib import Path
from typing import IO

from console.lib.processes import identity

LOCK_NAME = "up.lock"
LIST_NAME = "processes.json"
_END_LEFTOVER = [(signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0)]


class AlreadyRunning(Exception):
    """Another `up` holds this data directory; the message names it."""


class DataLock:
    """Holds a data directory for one `up`. The file says who holds it."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_NAME
        self._file: IO[str] | None = None

    def acquire(self, url: str) -> None:
        """Take the lock and note our address. Raises AlreadyRunning."""
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise AlreadyRunning(
                f"Tidegate already runs on {self._path.parent}"
                + (f" ({holder})" if holder else "")
                + ". Stop it first, or use another directory with --data (and --port, --opamp-port)."
            ) from None
        file.truncate(0)
        file.write(f"pid {os.getpid()}, {url}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the directory back."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None


class ProcessList:
    """The processes we started and have not yet seen end, kept in a file."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LIST_NAME
        self._marks: dict[int, tuple[str, str]] = {}

    def add(self, pid: int, name: str) -> None:
        """Write down a process that was just started."""
        mark = identity.start_mark(pid)
        if mark is not None:
            self._marks[pid] = (name, mark)
            self._save()

    def remove(self, pid: int) -> None:
        """Forget a process that has ended."""
        if self._marks.pop(pid, None) is not None:
            self._save()

    def end_leftovers(self) -> list[str]:
        """End what an earlier run left behind (with its groups); return the names."""
        ended: list[str] = []
        for entry in self._load():
            pid, mark = int(str(entry["pid"])), str(entry["mark"])
            if identity.is_same(pid, mark):
                identity.end(pid, mark, _END_LEFTOVER, group=True)
                ended.append(str(entry["name"]))
        self._path.unlink(missing_ok=True)
        return ended

    def _load(self) -> list[dict[str, object]]:
        try:
            entries = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return []
        return [e for e in entries if {"pid", "mark", "name"} <= e.keys()]

    def _save(self) -> None:
        entries = [
            {"pid": pid, "name": name, "mark": mark} for pid, (name, mark) in self._marks.items()
        ]
        # A reader after kill -9 finds the old list or the new one, never half of one.
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(entries))
        draft.replace(self._path)


def main() -> int:
    """`python -m console.processes.record DIR`: exit 1 and say so while an `up` runs on DIR."""
    data_dir = Path(sys.argv[1])
    if not data_dir.is_dir():
        return 0
    lock = DataLock(data_dir)
    try:
        lock.acquire("clean")
    except AlreadyRunning as error:
        sys.stderr.write(f"{error}\n")
        return 1
    lock.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
