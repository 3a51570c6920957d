"""The gateway's way to Redis can be ended at any moment: a stop that waits for it would hang."""

from __future__ import annotations

import asyncio
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
