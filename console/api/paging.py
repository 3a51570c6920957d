"""Pages of lists as scripts ask for them, with `after` and `limit`. See `console/lib/paging.py`."""

from __future__ import annotations

from typing import TypeVar

from django.db import models
from rest_framework.request import Request

from console.api import params
from console.lib.paging import part_of, place_of

M = TypeVar("M", bound=models.Model)


def newest(
    rows: models.QuerySet[M], request: Request, key: str = "pk"
) -> tuple[list[M], str | None]:
    """Return the page that `after` (older than this key) and `limit` ask for, and its `next`.

    The route declares `params.PAGE`.

    Raises Invalid when either is no whole number.
    """
    after = params.AFTER.of(request)
    return _page(rows, request, f"-{key}", after or None)


def oldest(rows: models.QuerySet[M], request: Request, key: str) -> tuple[list[M], str | None]:
    """Return the page after the key that was seen last, oldest first, and its `next`.

    The route declares `params.PAGE_OLDEST`.

    Raises Invalid when `after` or `limit` is no whole number of 32 bits.
    """
    return _page(rows, request, key, params.AFTER_SEQ.of(request))


def _page(
    rows: models.QuerySet[M], request: Request, order: str, after: int | None
) -> tuple[list[M], str | None]:
    limit = params.LIMIT.of(request)
    part = part_of(rows, [order], limit, after=None if after is None else [after])
    return part.rows, str(place_of(part.rows[-1], [order])[0]) if part.has_after else None
