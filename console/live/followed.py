"""Which topics somebody looks at now, so that nothing is drawn for nobody.

A sorted set in Redis: topic, scored by when the wish runs out. Followers renew it. When Redis is
away there is no feed at all, and pages poll (ui.md section 6).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

import redis
from django.conf import settings

from console.lib import redis as lib_redis

logger = logging.getLogger(__name__)

KEY = "tidegate:live:wanted"
LIFE_S = 150


def client() -> redis.Redis:
    """Return the process's connection to Redis for the live feed."""
    return lib_redis.client(settings.REDIS_URL)


def want(topics: Iterable[str]) -> None:
    """Say that somebody looks at these topics."""
    until = time.time() + LIFE_S
    try:
        client().zadd(KEY, dict.fromkeys(topics, until))
    except redis.RedisError as error:
        logger.warning("live topics could not be renewed", extra={"error": str(error)})


def all_wanted() -> set[str]:
    """Return the topics somebody looks at. Raises redis.RedisError when Redis is away."""
    now = time.time()
    client().zremrangebyscore(KEY, "-inf", now)
    return {str(topic) for topic in client().zrange(KEY, 0, -1)}
