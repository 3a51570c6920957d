"""Keyset pages of lists that are read newest first: no OFFSET, no COUNT."""

from __future__ import annotations

from typing import TypeVar

from django.db import models
from rest_framework.request import Request

from console.api.views import whole_number

M = TypeVar("M", bound=models.Model)

DEFAULT = 100
MOST = 1000


def newest(rows: models.QuerySet[M], request: Request) -> tuple[list[M], str | None]:
    """Return the page that `after` (older than this key) and `limit` ask for, and its `next`.

    Raises Invalid when either is no whole number.
    """
    limit = whole_number(request, "limit", DEFAULT, least=1, most=MOST)
    after = whole_number(request, "after", 0)
    ordered = rows.order_by("-pk")
    if after:
        ordered = ordered.filter(pk__lt=after)
    found = list(ordered[: limit + 1])
    return found[:limit], str(found[limit - 1].pk) if len(found) > limit else None
