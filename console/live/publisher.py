"""The publisher: flushes dirty topics to their followers, at most once per interval, newest state.

Runs inside every console process; a lease in Redis lets one of them work at a time. It also sends
the heartbeat, so a page only says "Live" while updates really flow.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Iterable

import redis
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import DatabaseError
from django.utils import timezone

from console.lib.hints import DIRTY
from console.live import followed, topics
from console.live.sources import Sources
from console.pages.frame.fragments import signal

logger = logging.getLogger(__name__)

PACE_S = 0.25
BEAT_S = 2.0
LEASE = "tidegate:live:publisher"
LEASE_MS = 5000
BACK_OFF_S = 2.0


class Publisher:
    """One process's publisher. `run` ends only when it is cancelled."""

    def __init__(self) -> None:
        self.name = secrets.token_hex(8)
        self.sources = Sources()
        self.dirty: set[str] = set()
        self.sent_at: dict[str, float] = {}
        self.beat_at = 0.0

    async def run(self) -> None:
        """Flush for ever. A store that is away is waited for, with one line in the log."""
        away = False
        while True:
            try:
                if await sync_to_async(self._lead, thread_sensitive=False)():
                    await self._turn(time.monotonic())
                away = False
                await asyncio.sleep(PACE_S)
            except (redis.RedisError, DatabaseError, OSError) as error:
                if not away:
                    logger.warning("live updates wait for a store", extra={"error": str(error)})
                away = True
                await asyncio.sleep(BACK_OFF_S)
            except Exception:
                # One page that cannot be drawn must not end the feed of all others.
                logger.exception("live updates failed")
                self.dirty.clear()
                await asyncio.sleep(BACK_OFF_S)

    def _lead(self) -> bool:
        """Hold or take the lease; two holders for a moment only repeat a message."""
        client = followed.client()
        if client.get(LEASE) == self.name:
            client.pexpire(LEASE, LEASE_MS)
            return True
        return bool(client.set(LEASE, self.name, nx=True, px=LEASE_MS))

    def _collect(self) -> tuple[set[str], set[str]]:
        """Take over what was marked dirty; return (dirty, wanted)."""
        client = followed.client()
        taken = client.spop(DIRTY, 500)
        return {str(topic) for topic in taken or ()}, followed.all_wanted()

    async def _turn(self, now_s: float) -> None:
        """Beat, collect, and flush what is due."""
        if now_s - self.beat_at >= BEAT_S:
            self.beat_at = now_s
            await self._send(topics.NAV, [signal("beat")], beat=True)
        taken, looked_at = await sync_to_async(self._collect, thread_sensitive=False)()
        self.dirty |= taken | self._silent_for_long(looked_at, now_s)
        for topic in [t for t in self.dirty if self._is_due(t, now_s)]:
            self.dirty.discard(topic)
            if self._is_wanted(topic, looked_at):
                self.sent_at[topic] = now_s
                await self._flush(topic, looked_at)
        self._forget(now_s)

    def _silent_for_long(self, looked_at: set[str], now_s: float) -> set[str]:
        pulses = {topic: topics.pulse_s(topic) for topic in looked_at}
        return {
            topic
            for topic, pulse_s in pulses.items()
            if pulse_s and now_s - self.sent_at.setdefault(topic, now_s - pulse_s + 1) >= pulse_s
        }

    def _is_due(self, topic: str, now_s: float) -> bool:
        return now_s - self.sent_at.get(topic, -1e9) >= topics.interval_s(topic)

    def _is_wanted(self, topic: str, looked_at: Iterable[str]) -> bool:
        if topic in looked_at or topic in topics.COUNTED:
            return True
        return topic == topics.AGENTS and any(t.startswith("agent:") for t in looked_at)

    async def _flush(self, topic: str, looked_at: set[str]) -> None:
        read = database_sync_to_async(self.sources.messages)
        for to, texts in (await read(topic, looked_at, timezone.now())).items():
            await self._send(to, texts)

    async def _send(self, topic: str, texts: list[str], *, beat: bool = False) -> None:
        layer = get_channel_layer()
        for text in filter(None, texts):
            message = {"type": "live.send", "text": text, "beat": beat}
            await layer.group_send(topics.group_of(topic), message)

    def _forget(self, now_s: float) -> None:
        """Drop times of topics that have been quiet, so that memory does not grow."""
        if len(self.sent_at) > 1000:
            self.sent_at = {t: at for t, at in self.sent_at.items() if now_s - at < 60}


async def publish_forever() -> None:
    """Run a publisher until cancelled: the task that the console's lifespan starts."""
    await Publisher().run()
