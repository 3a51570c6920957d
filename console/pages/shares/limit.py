"""How often one address may ask for shared pages: 60 times a minute, 10 times in vain."""

from __future__ import annotations

import logging

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WINDOW_S = 60
PER_ADDRESS = 60
IN_VAIN = 10


def is_over(address: str) -> bool:
    """Count one request of an address and tell whether it was one too many.

    When Redis is away nobody is refused: 256 bits are not guessed, and an incident channel must be
    able to read during an outage. The log says so.
    """
    return _counted(f"share:address:{address}") > PER_ADDRESS or _read(_vain(address)) > IN_VAIN


def record_vain(address: str) -> None:
    """Count one request that opened nothing."""
    _counted(_vain(address))


def _vain(address: str) -> str:
    return f"share:vain:{address}"


def _counted(key: str) -> int:
    try:
        cache.add(key, 0, timeout=WINDOW_S)
        return int(cache.incr(key))
    except ValueError:  # the key ran out between the two calls
        return 1
    except RedisError as error:
        logger.warning("shared pages are not limited, Redis is away", extra={"error": str(error)})
        return 0


def _read(key: str) -> int:
    try:
        return int(cache.get(key, 0))
    except RedisError:
        return 0
