from __future__ import annotations

import asyncio
from collections.abc import Sequence

from console.asgi_limits import BodyLimit, Message, Receive, Scope, Send


async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body as Django does, then answer its length."""
    read = 0
    while True:
        message = await receive()
        read += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(read).encode()})


def sent(parts: Sequence[bytes], length: str | None = None) -> tuple[list[int], bytes]:
    """Return the statuses and the body that `BodyLimit` answers to a body in these parts."""
    waiting: list[Message] = [
        {"type": "http.request", "body": part, "more_body": index < len(parts) - 1}
        for index, part in enumerate(parts)
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    headers = [] if length is None else [(b"content-length", length.encode())]
    asyncio.run(BodyLimit(reads_all, 10)({"type": "http", "headers": headers}, receive, send))
    statuses = [m["status"] for m in answered if m["type"] == "http.response.start"]
    return statuses, b"".join(m.get("body", b"") for m in answered)


def test_a_body_up_to_the_limit_passes() -> None:
    assert sent([b"12345", b"67890"]) == ([200], b"10")


def test_a_body_that_grows_over_the_limit_is_refused_once() -> None:
    statuses, body = sent([b"12345", b"67890", b"1", b"2"])
    assert statuses == [413]
    assert b"too_large" in body


def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    assert sent([b"1"], length="11")[0] == [413]


def test_a_length_that_is_no_number_is_counted_instead() -> None:
    assert sent([b"1234567890", b"1"], length="ten")[0] == [413]
