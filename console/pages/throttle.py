"""How often signing in may fail: 5 times an account and 20 times an address in 15 min (R38)."""

from __future__ import annotations

import hashlib
import logging

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WINDOW_S = 15 * 60
PER_ACCOUNT = 5
PER_ADDRESS = 20


def _keys(username: str, address: str) -> list[tuple[str, int]]:
    account = hashlib.sha256(username.strip().lower().encode()).hexdigest()[:32]
    return [(f"login:account:{account}", PER_ACCOUNT), (f"login:address:{address}", PER_ADDRESS)]


def is_throttled(username: str, address: str) -> bool:
    """Tell whether this account or address has failed too often.

    When Redis is away nobody is locked out: an operator must get in during an outage, and the
    slow password hash still limits guessing. The log says so.
    """
    try:
        return any(cache.get(key, 0) >= limit for key, limit in _keys(username, address))
    except RedisError as error:
        logger.warning("login throttle is off, Redis is away", extra={"error": str(error)})
        return False


def record_failure(username: str, address: str) -> None:
    """Count one failed sign-in. The window starts with the first failure and is not extended."""
    try:
        for key, _limit in _keys(username, address):
            cache.add(key, 0, timeout=WINDOW_S)
            cache.incr(key)
    except (RedisError, ValueError) as error:  # ValueError: the key ran out between the two calls
        logger.warning("a failed login was not counted", extra={"error": str(error)})


def forget(username: str, address: str) -> None:
    """Clear the account's failures after a successful sign-in; the address keeps its count."""
    try:
        cache.delete(_keys(username, address)[0][0])
    except RedisError as error:
        logger.warning("login throttle was not cleared", extra={"error": str(error)})
