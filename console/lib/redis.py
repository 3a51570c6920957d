"""The ways to Redis, all with the same patience. Nothing in Redis is needed for correctness.

A short call gives up after `ANSWER_S`. A listener may wait for ever, and notices by TCP's own
questions that the other end has gone without a word.
"""

from __future__ import annotations

import asyncio
import time
from functools import lru_cache

import redis
from redis import asyncio as aioredis

from console.lib.keepalive import keepalive

ANSWER_S = 0.5
CONNECT_S = 2.0
NOTICE_LOSS = keepalive(idle_s=10, interval_s=5, count=2, timeout_s=20)
AWAY = (redis.RedisError, OSError, TimeoutError, asyncio.TimeoutError)


class Patience:
    """Leaves a Redis that gave no answer alone for a while, so that not every call waits for it."""

    def __init__(self, alone_s: float) -> None:
        self._alone_s = alone_s
        self._until = 0.0

    def is_out(self) -> bool:
        """Whether nothing is to be tried now."""
        return time.monotonic() < self._until

    def lose(self) -> None:
        """Say that a call was not answered."""
        self._until = time.monotonic() + self._alone_s


@lru_cache(maxsize=8)
def client(url: str) -> redis.Redis:
    """Return this process's client for short calls; answers are text. Threads may share it."""
    return redis.Redis.from_url(
        url,
        socket_timeout=ANSWER_S,
        socket_connect_timeout=ANSWER_S,
        max_connections=16,
        decode_responses=True,
    )


def listener(url: str) -> redis.Redis:
    """Return a new client for a thread that waits for messages. Close it."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_S,
        socket_keepalive=True,
        socket_keepalive_options=NOTICE_LOSS,
    )


def async_client(url: str) -> aioredis.Redis:
    """Return a new client for an event loop, for calls and for listening. Close it.

    No `socket_timeout`: the client would wait with `asyncio.wait_for`, which in Python 3.11 swallows
    a cancellation that comes as the wait ends: a loop that cannot be ended. Bound calls with
    `asyncio.timeout(ANSWER_S)`.
    """
    return aioredis.Redis.from_url(
        url,
        socket_timeout=None,
        socket_connect_timeout=CONNECT_S,
        socket_keepalive=True,
        socket_keepalive_options=NOTICE_LOSS,
        health_check_interval=15,
        max_connections=4,
    )
