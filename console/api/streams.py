"""A long list as one JSON object, sent while it is being read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from rest_framework.utils.encoders import JSONEncoder

from console.lib.web.streaming import streamed

_ROWS_PER_CHUNK = 200


def listing(
    request: HttpRequest,
    name: str,
    rows: Iterable[tuple[int, Mapping[str, Any]]],
    limit: int,
    **more: object,
) -> StreamingHttpResponse:
    """Answer `{name: [...], "next": ..., **more}` from rows, each with its key.

    `rows` yields up to `limit` + 1; the extra one only proves that there is more, and `next` is
    then the key of the last row that was sent.
    """
    return streamed(request, _chunks(name, rows, limit, more), "application/json")


def _chunks(
    name: str,
    rows: Iterable[tuple[int, Mapping[str, Any]]],
    limit: int,
    after: Mapping[str, object],
) -> Iterator[bytes]:
    waiting = [f'{{"{name}": [']
    last: int | None = None
    more = False
    for index, (pk, row) in enumerate(rows):
        if index == limit:
            more = True
            break
        last = pk
        comma = ",\n" if index else "\n"
        waiting.append(comma + json.dumps(row, cls=JSONEncoder))
        if len(waiting) >= _ROWS_PER_CHUNK:
            yield "".join(waiting).encode()
            waiting = []
    end = {"next": str(last) if more else None, **after}
    waiting.append(f"\n], {json.dumps(end, cls=JSONEncoder)[1:]}\n")
    yield "".join(waiting).encode()
