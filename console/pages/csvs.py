"""Tables as CSV that no spreadsheet can be tricked by (security.md R41)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.http import StreamingHttpResponse

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
    name: str, head: Sequence[str], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """Stream rows as a CSV file."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow(head)
        for row in rows:
            yield writer.writerow([cell(value) for value in row])

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8", headers=headers)
