"""Noticing hosts that went without a word, by TCP's own questions."""

from __future__ import annotations

import socket


def keepalive(*, idle_s: int, interval_s: int, count: int, timeout_s: int) -> dict[int, int]:
    """Return IPPROTO_TCP options, those that this system knows: ask after `idle_s` of silence,
    `count` times every `interval_s`; bytes that nobody takes are given up after `timeout_s`."""
    wanted = {
        "TCP_KEEPIDLE": idle_s,
        "TCP_KEEPINTVL": interval_s,
        "TCP_KEEPCNT": count,
        "TCP_USER_TIMEOUT": timeout_s * 1000,
    }
    return {getattr(socket, name): v for name, v in wanted.items() if hasattr(socket, name)}
