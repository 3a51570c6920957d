"""Redis in the gateway's loop: hints in, live pages out. Never needed for correctness."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from uuid import UUID

from console.lib import hints
from console.lib.redis import ANSWER_S, AWAY, Patience, async_client

logger = logging.getLogger(__name__)

_PAUSE_S = 2.0
# Writing statuses waits while live pages are told. A Redis that hangs is left alone for a while, or
# each flush would take as long as the patience.
_LEFT_ALONE_S = 5.0


class RedisHints:
    """Subscribes to hints and marks live topics dirty. Everything fails quietly."""

    def __init__(self, url: str, handlers: Mapping[str, Callable[[str], None]]) -> None:
        self._url = url
        self._handlers = handlers
        self._client = async_client(url) if url else None
        self._patience = Patience(_LEFT_ALONE_S)

    async def run(self) -> None:
        """Listen until cancelled; after a loss, connect again and act as if all hints came."""
        while self._client is not None:
            try:
                await self._listen()
            except AWAY as error:
                logger.info("Redis is away, hints wait", extra={"error": str(error)})
            await asyncio.sleep(_PAUSE_S)

    async def _listen(self) -> None:
        client = async_client(self._url)
        async with client, client.pubsub() as pubsub:
            await pubsub.subscribe(*self._handlers)
            for channel, handler in self._handlers.items():
                if channel != hints.MOVED:
                    handler("")
            while True:
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=30.0)
                if message is not None:
                    heard = self._handlers.get(message["channel"].decode())
                    if heard is not None:
                        self._hear(heard, message["data"])

    def _hear(self, handler: Callable[[str], None], payload: bytes) -> None:
        """Pass a hint on. One that says nothing sensible must not end the listening."""
        try:
            handler(payload.decode())
        except ValueError as error:
            logger.warning("A hint could not be read", extra={"error": str(error)})

    async def mark_dirty(self, topics: set[str]) -> None:
        """Say what live pages should look at again."""
        await self._try(hints.DIRTY, sorted(topics))

    async def tell_news(self, topics: set[str]) -> None:
        """Say that agents of these topics said something which is written now."""
        if topics:
            await self._try(hints.NEWS, " ".join(sorted(topics)))

    async def tell_moved(self, gateway_id: UUID, agent_id: int) -> None:
        """Tell a gateway that an agent has another one now."""
        await self._try(hints.MOVED, f"{gateway_id}:{agent_id}")

    async def _try(self, channel: str, value: list[str] | str) -> None:
        if self._client is None or self._patience.is_out():
            return
        try:
            async with asyncio.timeout(ANSWER_S):
                if isinstance(value, str):
                    await self._client.publish(channel, value)
                else:
                    await self._client.sadd(channel, *value)
        except AWAY:
            self._patience.lose()

    async def close(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            await self._client.aclose()
