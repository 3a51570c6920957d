"""Refuse a request body that is over the limit while it arrives.

Django writes a whole body to disk before any view sees the request; this stands in front of it,
so that neither a lying nor a missing Content-Length can fill a disk (security.md section 8).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from console.lib.problems import MEDIA_TYPE, TooLarge

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class BodyLimit:
    """An ASGI application that answers 413 in place of `app` when a body is too large."""

    def __init__(self, app: App, limit_bytes: int) -> None:
        self.app = app
        self.limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _declared_bytes(scope) > self.limit_bytes:
            await _refuse(send, self.limit_bytes)
            return
        received_bytes = 0
        is_refused = False

        async def counted() -> Message:
            nonlocal received_bytes, is_refused
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes <= self.limit_bytes:
                return message
            is_refused = True
            await _refuse(send, self.limit_bytes)
            return {"type": "http.disconnect"}  # Django gives the request up

        async def unless_refused(message: Message) -> None:
            if not is_refused:
                await send(message)

        await self.app(scope, counted, unless_refused)


def _declared_bytes(scope: Scope) -> int:
    for name, value in scope.get("headers", ()):
        if name.lower() == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


async def _refuse(send: Send, limit_bytes: int) -> None:
    problem = TooLarge("api.large_request", most=limit_bytes)
    body = problem.body()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
