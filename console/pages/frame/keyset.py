"""Keyset paging for lists ordered by id: no OFFSET, no COUNT over 10,000."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import models
from django.http import QueryDict

M = TypeVar("M", bound=models.Model)

PER_PAGE = 50
COUNT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of rows and where its neighbours start: "" when there is none.

    `is_in_line`: the list has an order of its own, not the newest first.
    """

    rows: list[M]
    newer: str
    older: str
    is_in_line: bool = False


def _id(params: QueryDict, name: str) -> int | None:
    text = params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


def newest_first(
    queryset: models.QuerySet[M], params: QueryDict, per_page: int = PER_PAGE
) -> Page[M]:
    """Return the page that `?after=ID` (older than) or `?before=ID` (newer than) asks for."""
    after, before = _id(params, "after"), _id(params, "before")
    if before is not None:
        found = list(queryset.filter(pk__gt=before).order_by("pk")[: per_page + 1])
        has_newer = len(found) > per_page
        rows = found[:per_page][::-1]
        older = str(rows[-1].pk) if rows else ""
        return Page(rows, str(rows[0].pk) if has_newer else "", older)
    ordered = queryset.order_by("-pk")
    if after is not None:
        ordered = ordered.filter(pk__lt=after)
    found = list(ordered[: per_page + 1])
    rows = found[:per_page]
    newer = str(rows[0].pk) if after is not None and rows else ""
    return Page(rows, newer, str(rows[-1].pk) if len(found) > per_page else "")


def in_line(queryset: models.QuerySet[M], params: QueryDict, per_page: int = PER_PAGE) -> Page[M]:
    """Return the page of a list by ascending id; `?after=ID` and `?before=ID` as they read."""
    after, before = _id(params, "after"), _id(params, "before")
    if before is not None:
        found = list(queryset.filter(pk__lt=before).order_by("-pk")[: per_page + 1])
        rows = found[:per_page][::-1]
        has_more = len(found) > per_page
        return Page(rows, _edge(rows[:1], has_more), _edge(rows[-1:], True), True)
    found = list(queryset.filter(pk__gt=after or 0).order_by("pk")[: per_page + 1])
    rows = found[:per_page]
    return Page(
        rows, _edge(rows[:1], after is not None), _edge(rows[-1:], len(found) > per_page), True
    )


def _edge(row: list[M], has_more: bool) -> str:
    return str(row[0].pk) if row and has_more else ""


def count_up_to(queryset: models.QuerySet[M], limit: int = COUNT_LIMIT) -> int:
    """Count rows, but never more than `limit` + 1."""
    return queryset.order_by()[: limit + 1].count()
