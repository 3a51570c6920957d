"""Pages of lists as scripts ask for them, with `after` and `limit`. See `console/lib/paging.py`."""

from __future__ import annotations

from typing import TypeVar

from django.db import models
from rest_framework.request import Request

from console.api.views import whole_number
from console.lib.paging import part_of, place_of

M = TypeVar("M", bound=models.Model)

DEFAULT = 100
MOST = 1000


def newest(
    rows: models.QuerySet[M], request: Request, key: str = "pk"
) -> tuple[list[M], str | None]:
    """Return the page that `after` (older than this key) and `limit` ask for, and its `next`.

    Raises Invalid when either is no whole number.
    """
    after = whole_number(request, "after", 0)
    return _page(rows, request, f"-{key}", after or None)


def oldest(rows: models.QuerySet[M], request: Request, key: str) -> tuple[list[M], str | None]:
    """Return the page after the key that was seen last, oldest first, and its `next`.

    Raises Invalid when `after` or `limit` is no whole number of 32 bits.
    """
    return _page(rows, request, key, whole_number(request, "after", 0, most=2**31 - 1))


def _page(
    rows: models.QuerySet[M], request: Request, order: str, after: int | None
) -> tuple[list[M], str | None]:
    limit = whole_number(request, "limit", DEFAULT, least=1, most=MOST)
    part = part_of(rows, [order], limit, after=None if after is None else [after])
    return part.rows, str(place_of(part.rows[-1], [order])[0]) if part.has_after else None
