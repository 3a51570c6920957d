"""Start and stop of the console process (ASGI lifespan): what runs beside the requests."""

from __future__ import annotations

import asyncio
from typing import Any

from console.lib.processes import stopping
from console.live.publisher import publish_forever


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer the server's start-up and shutdown events; the live publisher runs in between."""
    publisher: asyncio.Task[None] | None = None
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            stopping.listen()
            publisher = asyncio.create_task(publish_forever(), name="live-publisher")
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if publisher is not None:
                publisher.cancel()
                await asyncio.gather(publisher, return_exceptions=True)
            await send({"type": "lifespan.shutdown.complete"})
            return
