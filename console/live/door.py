"""Which handshakes are let in: a WebSocket to an address that is not there gets 404, one from an origin
that is no address 400, before anybody is looked up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

NOT_HERE = (404, b"There is no WebSocket at this address.\n")
NO_ORIGIN = (400, b"The header Origin is not an address.\n")
GONE_WITHIN_S = 1.0
_DENIAL = "websocket.http.response"  # the extension by which a server answers more than 403


class LiveDoor:
    """An ASGI application that hands WebSockets at `path` to `app` and refuses all others."""

    def __init__(self, path: str, app: App) -> None:
        self.path = path
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != self.path:
            await _refuse(NOT_HERE, scope, receive, send)
        elif not all(map(_is_address, _origins(scope))):
            await _refuse(NO_ORIGIN, scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _origins(scope: Scope) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]


def _is_address(origin: str) -> bool:
    """Tell whether an origin can be read; whether it is ours is asked behind the door."""
    try:
        urlsplit(origin).port  # noqa: B018  reading it is what fails
    except ValueError:
        return False
    return True


async def _refuse(answer: tuple[int, bytes], scope: Scope, receive: Receive, send: Send) -> None:
    status, body = answer
    await receive()  # websocket.connect
    if _DENIAL not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1000})
        return
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": f"{_DENIAL}.start", "status": status, "headers": headers})
    await send({"type": f"{_DENIAL}.body", "body": body})
    # uvicorn logs a fault when an application ends before the connection has: it says twice that the
    # other side has left, when it is asked to end it and when it is gone.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GONE_WITHIN_S):
            await receive()
            await receive()
