"""Tables as CSV that no spreadsheet can be tricked by (security.md R41)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice

from django.http import HttpRequest, StreamingHttpResponse

from console.lib.web.streaming import streamed

_ROWS_PER_CHUNK = 200
RISKY = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that gives back what is written to it, so that rows can be streamed."""

    def write(self, value: str) -> str:
        return value


def cell(value: object) -> str:
    """Return a cell's text; what a spreadsheet would take for a formula is quoted."""
    if isinstance(value, datetime):
        return value.isoformat()
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(RISKY) else text


def response(
    request: HttpRequest, name: str, head: Sequence[str], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """Stream rows as a CSV file."""
    writer = csv.writer(_Echo())

    def chunks() -> Iterator[bytes]:
        lines = chain([head], ([cell(value) for value in row] for row in rows))
        while batch := list(islice(lines, _ROWS_PER_CHUNK)):
            yield "".join(writer.writerow(line) for line in batch).encode()

    answer = streamed(request, chunks(), "text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
