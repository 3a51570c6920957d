"""Redis wake-ups. Nothing here is needed for correctness: a lost hint is repaired by the next
poll or tick (spec section 2, "level-triggered"), so a Redis that is away is logged, not raised.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import redis
from django.conf import settings

from console.lib.redis import AWAY, Patience, client

logger = logging.getLogger(__name__)

DESIRED = "tidegate:hint:desired"  # payload: newest change number, ASCII
SETTINGS = "tidegate:hint:settings"  # payload: "" ; offers of connection settings changed
COMMAND = "tidegate:hint:command"  # payload: "" ; commands or custom messages are queued
NEWS = "tidegate:hint:news"  # payload: topics with news ("rollout:42"), a space between
MOVED = "tidegate:hint:moved"  # payload: id of the gateway that lost it, a colon, id of the agent
SIGNED = "tidegate:hint:signed"  # payload: "" ; configs were signed
LAST = "tidegate:hint:last:"  # and a name: a digest of what pages were last told of
DIRTY = "tidegate:live:dirty"  # a Redis set of topic names waiting to be published

_patience = Patience(alone_s=10.0)


def publish(channel: str, payload: str = "") -> bool:
    """Publish one hint. False when Redis is away; then nothing is tried for 10 s."""
    return _try(lambda client: client.publish(channel, payload))


def mark_dirty(*topics: str) -> bool:
    """Say that what live pages show of `topics` ("rollout:42", "fleet") has changed."""
    return bool(topics) and _try(lambda client: client.sadd(DIRTY, *topics))


def is_news(what: str, state: str) -> bool:
    """Remember `state` under a name; tell whether it is another one than before. False when Redis
    is away: then nobody can be told either."""
    before: list[object] = []
    return _try(lambda client: before.append(client.getset(f"{LAST}{what}", state))) and (
        before[0] != state
    )


def _try(call: Callable[[redis.Redis], object]) -> bool:
    if not settings.REDIS_URL or _patience.is_out():
        return False
    try:
        call(client(settings.REDIS_URL))
    except AWAY as error:
        _patience.lose()
        logger.warning("Redis is away, hints are skipped", extra={"error": str(error)})
        return False
    return True
