"""Who uses the server's core: the server, or somebody else on this machine?"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from bench.gateway.servers import Server

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_IDLE = (3, 4)


class Usage:
    """CPU of some servers and of all their core, from the moment this is made."""

    def __init__(self, core: int, servers: Sequence[Server]) -> None:
        self._core = core
        self._servers = servers
        self._began = time.monotonic()
        self._busy = _busy_s(core)
        self._own = self._own_s()

    def _own_s(self) -> float:
        return sum(server.cpu_s() for server in self._servers)

    def others(self) -> float:
        """Return the share of the core taken by processes that are not under test."""
        elapsed = time.monotonic() - self._began
        foreign = (_busy_s(self._core) - self._busy) - (self._own_s() - self._own)
        return max(0.0, foreign / elapsed) if elapsed else 0.0


def _busy_s(core: int) -> float:
    """Return the seconds that a core has not been idle."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            # guest (8, 9) is already part of user.
            return sum(int(t) for i, t in enumerate(ticks[:8]) if i not in _IDLE) / _TICKS_PER_S
    return float("nan")
