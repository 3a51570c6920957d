"""Pages of lists ordered by id, as addresses of pages ask for them. See `console/lib/paging.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import models
from django.http import QueryDict

from console.lib.paging import Numbers, Stretch, count_up_to, numbers_of, part_of
from console.pages.frame.forms import Number, PageForm

M = TypeVar("M", bound=models.Model)

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of rows and where its neighbours start: "" when there is none.

    `is_in_line`: the list has an order of its own, not the newest first. `numbers` say which rows these
    are, None where a list is not counted.
    """

    rows: list[M]
    newer: str
    older: str
    is_in_line: bool = False
    numbers: Numbers | None = None


class _Place(PageForm):
    """Where a page of a list begins: ids of rows."""

    after = Number()
    before = Number()


def newest_first(
    queryset: models.QuerySet[M],
    params: QueryDict,
    per_page: int = PER_PAGE,
    *,
    is_counted: bool = False,
) -> Page[M]:
    """Return the page that `?after=ID` (older than) or `?before=ID` (newer than) asks for."""
    return _page(queryset, "-pk", params, per_page, is_counted)


def in_line(
    queryset: models.QuerySet[M],
    params: QueryDict,
    per_page: int = PER_PAGE,
    *,
    total: int | None = None,
) -> Page[M]:
    """Return the page of a list by ascending id, counted unless `total` is known; `?after=ID` and
    `?before=ID` as they read."""
    return _page(queryset, "pk", params, per_page, True, total)


def _page(
    queryset: models.QuerySet[M],
    order: str,
    params: QueryDict,
    per_page: int,
    is_counted: bool,
    total: int | None = None,
) -> Page[M]:
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
        numbers=_numbers(queryset, order, part, total) if is_counted else None,
    )


def _numbers(
    queryset: models.QuerySet[M], order: str, part: Stretch[M], total: int | None
) -> Numbers:
    return numbers_of(queryset, [order], part, count_up_to(queryset) if total is None else total)
