"""Start and stop of the console process (ASGI lifespan): what runs beside the requests."""

from __future__ import annotations

from typing import Any

from console.lib import stopping


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer the server's start-up and shutdown events."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            stopping.listen()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
