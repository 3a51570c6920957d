"""The scriptable agent on the opamp-go client (`opampagent/`), over WebSocket or HTTP polling."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
import uuid
from pathlib import Path
from typing import IO, Any

from tests.clients.build import Binaries
from tests.clients.process import Process

# ReportsStatus, AcceptsRemoteConfig, ReportsEffectiveConfig, ReportsHealth, ReportsRemoteConfig,
# ReportsHeartbeat, AcceptsRestartCommand, ReportsAvailableComponents.
ORDINARY = 0x1 | 0x2 | 0x4 | 0x400 | 0x800 | 0x1000 | 0x2000 | 0x4000
PACKAGES = 0x8 | 0x10
OPAMP_SETTINGS = 0x100
OWN_METRICS = 0x40
OTHER_SETTINGS = 0x200
SETTINGS_STATUS = 0x8000


class OpampGoAgent:
    """One agent process. `wait` for what it says, `do` what it shall do."""

    def __init__(
        self,
        binaries: Binaries,
        directory: Path,
        server_url: str,
        *,
        capabilities: int = ORDINARY,
        headers: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
        poll: str = "",
        arguments: list[str] | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.uid = uuid.uuid4().hex
        command = [str(binaries.agent), "-url", server_url, "-uid", self.uid]
        command += ["-capabilities", str(capabilities)]
        for key, value in (headers or {}).items():
            command += ["-header", f"{key}={value}"]
        for key, value in (labels or {}).items():
            command += ["-label", f"{key}={value}"]
        if poll:
            command += ["-poll", poll]
        self.process = Process(
            [*command, *(arguments or [])], log=directory / "agent.log", pipes=True
        )
        self.events: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._reader: threading.Thread | None = None

    def start(self) -> OpampGoAgent:
        """Start and wait until its client runs; it may not be connected yet."""
        self.process.start()
        assert self.process.popen is not None
        assert self.process.popen.stdout is not None
        self._reader = threading.Thread(
            target=self._read, args=(self.process.popen.stdout,), daemon=True
        )
        self._reader.start()
        self.wait("started")
        return self

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()

    def said(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """All events of a kind so far with these fields."""
        return [
            seen
            for seen in list(self.events)
            if seen["event"] == event and all(seen.get(k) == v for k, v in fields.items())
        ]

    def wait(self, event: str, timeout_s: float = 20.0, **fields: Any) -> dict[str, Any]:
        """Wait for an event, also one that came before the call; AssertionError when it is late."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not (found := self.said(event, **fields)):
                left = deadline - time.monotonic()
                if left <= 0:
                    log = self.process.log_tail(1500)
                    raise AssertionError(f"no {event} {fields}; said {self.events}; log: {log}")
                self._changed.wait(left)
        return found[0]

    def do(self, what: str, **fields: Any) -> None:
        """Give one command, e.g. `do("health", healthy=False, error="disk full")`."""
        assert self.process.popen is not None
        assert self.process.popen.stdin is not None
        self.process.popen.stdin.write(json.dumps({"do": what, **fields}).encode() + b"\n")
        self.process.popen.stdin.flush()

    def stop(self) -> None:
        """End politely (agent_disconnect over WebSocket), then make sure."""
        popen = self.process.popen
        if popen is None:
            return
        assert popen.stdin is not None
        assert popen.stdout is not None
        popen.stdin.close()  # the end of its input is its sign to stop
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.stop()
        if self._reader is not None:
            self._reader.join(5)
        popen.stdout.close()
