"""Beat's second ear: starts a look at a rollout when what its agents said has been written.

Gateways publish which topics have news. However many hints come, at most one message in `PACE_S`
goes to the workers, for all rollouts together. A hint that is lost costs a second: the tick that
the clock starts finds the same news.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

import redis
from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

from console.lib import hints
from console.lib.redis import listener

logger = logging.getLogger(__name__)

PACE_S = 0.15
AGAIN_S = 2.0
_IDLE_S = 15.0
_ROLLOUT = re.compile(rb"\brollout:(\d{1,18})\b")


class Waker:
    """Listens to hints and calls `send` with the ids of rollouts that have news."""

    def __init__(self, url: str, send: Callable[[list[int]], None], pace_s: float = PACE_S) -> None:
        self._url, self._send, self._pace_s = url, send, pace_s
        self._stopped = threading.Event()

    def run(self) -> None:
        """Listen until stopped; a Redis that is away is tried again every two seconds."""
        while not self._stopped.is_set():
            try:
                self._listen()
            except (redis.RedisError, OperationalError, OSError) as error:
                logger.info("Redis is away, ticks come by the clock", extra={"error": str(error)})
                self._stopped.wait(AGAIN_S)

    def stop(self) -> None:
        """End `run` with the next hint, or when it has been idle for a while."""
        self._stopped.set()

    def _listen(self) -> None:
        client = listener(self._url)
        waiting: set[int] = set()
        free_at = 0.0
        heard = client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        with client, heard as pubsub:
            pubsub.subscribe(hints.NEWS)
            while not self._stopped.is_set():
                # What comes while the last message is younger than the pace goes with the next one.
                pause = max(0.0, free_at - time.monotonic()) if waiting else _IDLE_S
                message = pubsub.get_message(timeout=pause)
                if message is not None:
                    waiting |= {int(found) for found in _ROLLOUT.findall(message["data"])}
                if waiting and time.monotonic() >= free_at:
                    self._send(sorted(waiting))
                    waiting.clear()
                    free_at = time.monotonic() + self._pace_s


def start(app: Celery) -> Waker | None:
    """Listen in a thread of this process, for as long as it lives. None without a Redis."""
    if not settings.REDIS_URL:
        return None

    def send(rollout_ids: list[int]) -> None:
        # Worthless when nobody fetched it before the next second.
        options = {"queue": "tick", "expires": settings.TICK_INTERVAL_S, "retry": False}
        app.send_task("rollouts.tasks.look_at_news", args=[rollout_ids], **options)

    waker = Waker(settings.REDIS_URL, send)
    threading.Thread(target=waker.run, name="wake", daemon=True).start()
    return waker
