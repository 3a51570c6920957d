"""A browser tab as the consumer sees it. (`channels.testing` needs daphne, which we do not use.)"""

from __future__ import annotations

from typing import Any

from asgiref.testing import ApplicationCommunicator

from console.live.consumers import ConsoleConsumer


class Tab:
    """One WebSocket of a person with a session."""

    def __init__(self, user: object, session: Any, query: str) -> None:
        scope = {
            "type": "websocket",
            "path": "/ws/console/",
            "query_string": query.encode(),
            "headers": [],
            "user": user,
            "session": session,
        }
        self._wire = ApplicationCommunicator(ConsoleConsumer.as_asgi(), scope)

    async def connect(self) -> None:
        await self._wire.send_input({"type": "websocket.connect"})
        assert (await self._wire.receive_output(timeout=20))["type"] == "websocket.accept"

    async def say(self, text: str) -> None:
        await self._wire.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> str:
        message = await self._wire.receive_output(timeout=20)
        assert message["type"] == "websocket.send", message
        return str(message["text"])

    async def closed_with(self) -> int:
        message = await self._wire.receive_output(timeout=20)
        assert message["type"] == "websocket.close", message
        return int(message["code"])

    async def leave(self) -> None:
        await self._wire.send_input({"type": "websocket.disconnect", "code": 1001})
        await self._wire.wait(timeout=20)
