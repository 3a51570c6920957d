"""A long list as one JSON object, sent while it is being read.

Under ASGI the chunks come from the request's own thread one at a time; handing Django a plain
generator would make it read everything first.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from rest_framework.utils.encoders import JSONEncoder

_ROWS_PER_CHUNK = 200


def listing(
    request: HttpRequest, name: str, rows: Iterable[dict[str, Any]], limit: int
) -> StreamingHttpResponse:
    """Answer `{name: [...], "next": ...}` from rows that carry their key under "pk".

    `rows` yields up to `limit` + 1; the extra one only proves that there is more, and `next` is
    then the key of the last row that was sent.
    """
    chunks = _chunks(name, rows, limit)
    body = _from_thread(chunks) if isinstance(request, ASGIRequest) else chunks
    return StreamingHttpResponse(body, content_type="application/json")


def _chunks(name: str, rows: Iterable[dict[str, Any]], limit: int) -> Iterator[bytes]:
    waiting = [f'{{"{name}": [']
    last: int | None = None
    more = False
    for index, row in enumerate(rows):
        if index == limit:
            more = True
            break
        last = row.pop("pk")
        comma = ",\n" if index else "\n"
        waiting.append(comma + json.dumps(row, cls=JSONEncoder))
        if len(waiting) >= _ROWS_PER_CHUNK:
            yield "".join(waiting).encode()
            waiting = []
    waiting.append(f'\n], "next": {json.dumps(str(last) if more else None)}}}\n')
    yield "".join(waiting).encode()


async def _from_thread(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    def take() -> bytes | None:
        return next(chunks, None)

    while (chunk := await sync_to_async(take)()) is not None:
        yield chunk
