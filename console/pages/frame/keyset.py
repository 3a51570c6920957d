"""Pages of lists ordered by id, as addresses of pages ask for them. See `console/lib/paging.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import models
from django.http import QueryDict

from console.lib.paging import part_of
from console.pages.frame.forms import Number, PageForm

M = TypeVar("M", bound=models.Model)

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of rows and where its neighbours start: "" when there is none.

    `is_in_line`: the list has an order of its own, not the newest first.
    """

    rows: list[M]
    newer: str
    older: str
    is_in_line: bool = False


class _Place(PageForm):
    """Where a page of a list begins: ids of rows."""

    after = Number()
    before = Number()


def newest_first(
    queryset: models.QuerySet[M], params: QueryDict, per_page: int = PER_PAGE
) -> Page[M]:
    """Return the page that `?after=ID` (older than) or `?before=ID` (newer than) asks for."""
    return _page(queryset, "-pk", params, per_page)


def in_line(queryset: models.QuerySet[M], params: QueryDict, per_page: int = PER_PAGE) -> Page[M]:
    """Return the page of a list by ascending id; `?after=ID` and `?before=ID` as they read."""
    return _page(queryset, "pk", params, per_page)


def _page(queryset: models.QuerySet[M], order: str, params: QueryDict, per_page: int) -> Page[M]:
    place = _Place(params).known()
    after, before = place["after"], place["before"]
    part = part_of(
        queryset,
        [order],
        per_page,
        after=None if after is None else [after],
        before=None if before is None else [before],
    )
    return Page(
        part.rows,
        str(part.rows[0].pk) if part.has_before else "",
        str(part.rows[-1].pk) if part.has_after else "",
        is_in_line=order == "pk",
    )
