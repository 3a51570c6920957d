"""Pieces of queries whose cost must not hang on what PostgreSQL believes of the rows.

Its statistics are of rollouts that are over. Of one that has just begun it expects no rows, and would
read all of them again for each agent. So ids come as one array beside no join, and an id that nobody
has met yet is not said to the planner (docs/performance.md, "Tables with a history").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Exists,
    F,
    Func,
    QuerySet,
    Value,
    When,
)


def among(column: str, ids: Iterable[int]) -> Func:
    """Return the condition that a column is one of these ids; use it in place of `__in`."""
    array = Value(list(ids), output_field=ArrayField(BigIntegerField()))
    return Func(
        F(column),
        array,
        template="(%(expressions)s))",
        arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )


def unsaid(pk: int) -> Func:
    """Return an id that is looked up when the query runs: the planner takes it for one with as many
    rows as others have."""
    value = Value(pk, output_field=BigIntegerField())
    return Func(value, template="(SELECT %(expressions)s)", output_field=BigIntegerField())


def without(rows: QuerySet[Any]) -> Case:
    """Return the condition that there is no such row (which names its outer row): asked for each
    outer row by key, as PostgreSQL would make a join of a plain `NOT EXISTS`."""
    found = When(Exists(rows), then=Value(False))
    return Case(found, default=Value(True), output_field=BooleanField())
