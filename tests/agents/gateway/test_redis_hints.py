"""The gateway's way to Redis can be ended at any moment: a stop that waits for it would hang."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
import uvloop

from agents.gateway.redis_hints import RedisHints

TURNS = 200


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_who_tells_of_news_can_be_cancelled_at_any_moment(settings: Any, run: Any) -> None:
    async def tell(redis: RedisHints) -> None:
        while True:
            await redis.mark_dirty({"fleet"})

    async def body() -> int:
        ended = 0
        for turns in range(TURNS):
            redis = RedisHints(settings.REDIS_URL, {})
            await redis.mark_dirty({"fleet"})
            telling = asyncio.create_task(tell(redis))
            for _ in range(turns % 40):
                await asyncio.sleep(0)
            telling.cancel()
            done, pending = await asyncio.wait([telling], timeout=5)
            for task in pending:
                task.cancel()
            await redis.close()
            ended += len(done)
            if pending:
                break
        return ended

    assert run(body()) == TURNS


def test_a_redis_that_hangs_is_not_waited_for_with_every_flush() -> None:
    async def tell(url: str) -> None:
        redis = RedisHints(url, {})
        for _ in range(3):
            await redis.mark_dirty({"fleet"})
        await redis.close()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(tell(f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
