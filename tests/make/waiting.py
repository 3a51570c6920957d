"""Waiting for a fact with a bound, and ports from the system."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def eventually(
    ask: Callable[[], Answer | None],
    what: str = "it",
    *,
    timeout_s: float = 20.0,
    every_s: float = 0.02,
    seen: Callable[[], object] | None = None,
) -> Answer:
    """Ask until the answer is true and return it; AssertionError with `what` and `seen()` else."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            last = seen() if seen is not None else answer
            raise AssertionError(f"not within {timeout_s:g} s: {what}; last seen: {last!r}")
        time.sleep(every_s)


def free_port() -> int:
    """A port that is free now. Another process may take it before you do; that is rare."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_answers(port: int) -> bool:
    """Tell whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
