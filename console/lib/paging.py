"""Keyset paging: a part of a list after or before a place in its order. No OFFSET, no long COUNT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Generic, TypeVar

from django.db import models
from django.db.models import Q

M = TypeVar("M", bound=models.Model)
Row = TypeVar("Row")
Place = Sequence[object]

COUNT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Stretch(Generic[Row]):
    """Rows in the order of the list, and whether it goes on before and after them."""

    rows: list[Row]
    has_before: bool
    has_after: bool


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which rows of a list are shown, 51 to 100 of 200: counted from 1. `total` is never more than
    COUNT_LIMIT + 1."""

    first: int
    last: int
    total: int

    @property
    def is_counted(self) -> bool:
        """Whether all of them are known: a longer list is not counted to its end."""
        return self.total <= COUNT_LIMIT and self.last <= self.total


def part_of(
    queryset: models.QuerySet[M, Row],
    order: Sequence[str],
    limit: int,
    *,
    after: Place | None = None,
    before: Place | None = None,
) -> Stretch[Row]:
    """Return up to `limit` rows after or before a place; one query. `before` wins.

    `order` names fields as `order_by` does, "-" for descending ones, the last one unique. A place
    holds the values of these fields of a row; one of another length is no place.
    """
    after, before = (
        place if place and len(place) == len(order) else None for place in (after, before)
    )
    place, forward = (after, True) if before is None else (before, False)
    line = order if forward else [_turned(field) for field in order]
    found = queryset
    if place is not None:
        found = found.filter(_beyond(line, place))
    rows = list(found.order_by(*line)[: limit + 1])
    has_more, rows = len(rows) > limit, rows[:limit]
    has_place = place is not None and bool(rows)
    if forward:
        return Stretch(rows, has_place, has_more)
    return Stretch(rows[::-1], has_more, has_place)


def walk(
    queryset: models.QuerySet[M, Row],
    order: Sequence[str],
    limit: int,
    *,
    after: Place | None = None,
    chunk: int = 1000,
) -> Iterator[Row]:
    """Yield up to `limit` rows after a place, read chunk by chunk: no transaction and no cursor stays
    open while a slow client reads. The rows may be `values()`."""
    while limit > 0:
        part = part_of(queryset, order, min(limit, chunk), after=after)
        yield from part.rows
        if not part.has_after:
            return
        limit -= len(part.rows)
        after = place_of(part.rows[-1], order)


def place_of(row: object, order: Sequence[str]) -> list[object]:
    """Return the place of a row in this order."""
    names = [field.removeprefix("-") for field in order]
    return [row[name] if isinstance(row, Mapping) else getattr(row, name) for name in names]


def numbers_of(
    queryset: models.QuerySet[M], order: Sequence[str], part: Stretch[M], total: int
) -> Numbers:
    """Return the numbers of a part of a list of `total` rows; one query, none for the first part."""
    before = 0
    if part.has_before:
        turned = [_turned(field) for field in order]
        before = count_up_to(queryset.filter(_beyond(turned, place_of(part.rows[0], order))))
    return Numbers(before + 1, before + len(part.rows), total)


def count_up_to(queryset: models.QuerySet[M], limit: int = COUNT_LIMIT) -> int:
    """Count rows, but never more than `limit` + 1."""
    return queryset.order_by()[: limit + 1].count()


def _turned(field: str) -> str:
    return field.removeprefix("-") if field.startswith("-") else f"-{field}"


def _beyond(line: Sequence[str], place: Place) -> Q:
    """Return the condition "after this place" for rows in this line."""
    names = [field.removeprefix("-") for field in line]
    alternatives = []
    for index, field in enumerate(line):
        same = dict(zip(names[:index], place[:index], strict=True))
        step = "lt" if field.startswith("-") else "gt"
        alternatives.append(Q(**same, **{f"{names[index]}__{step}": place[index]}))
    return reduce(or_, alternatives)
