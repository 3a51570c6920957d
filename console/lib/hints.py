"""Redis wake-ups. Nothing here is needed for correctness: a lost hint is repaired by the next
poll or tick (spec section 2, "level-triggered"), so a Redis that is away is logged, not raised.
"""

from __future__ import annotations

import logging
import threading
import time

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

DESIRED = "tidegate:hint:desired"  # payload: newest change number, ASCII
SETTINGS = "tidegate:hint:settings"  # payload: "" ; offers of connection settings changed
COMMAND = "tidegate:hint:command"  # payload: "" ; commands or custom messages are queued
NEWS = "tidegate:hint:news"  # payload: topics with news ("rollout:42"), a space between
DIRTY = "tidegate:live:dirty"  # a Redis set of topic names waiting to be published

_SILENCE_S = 10.0
_client: redis.Redis | None = None
_lock = threading.Lock()
_away_until = 0.0


def _redis() -> redis.Redis:
    global _client
    with _lock:
        if _client is None:
            _client = redis.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=0.5,
                socket_connect_timeout=0.5,
                max_connections=16,
            )
        return _client


def publish(channel: str, payload: str = "") -> bool:
    """Publish one hint. False when Redis is away; then nothing is tried for 10 s."""
    return _try(lambda client: client.publish(channel, payload))


def mark_dirty(*topics: str) -> bool:
    """Say that what live pages show of `topics` ("rollout:42", "fleet") has changed."""
    return bool(topics) and _try(lambda client: client.sadd(DIRTY, *topics))


def _try(call) -> bool:  # type: ignore[no-untyped-def]
    global _away_until
    if not settings.REDIS_URL or time.monotonic() < _away_until:
        return False
    try:
        call(_redis())
    except redis.RedisError as error:
        _away_until = time.monotonic() + _SILENCE_S
        logger.warning("Redis is away, hints are skipped", extra={"error": str(error)})
        return False
    return True
