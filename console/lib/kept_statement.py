"""A statement that every page asks, built once: to build one of twenty parts takes several times as long
as PostgreSQL takes to answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

_MOST = 500


class KeptStatement:
    """Keeps the text of a statement for each `key`, which says all that it depends on but the time."""

    def __init__(self) -> None:
        self._built: dict[Hashable, tuple[str, tuple[Any, ...], datetime]] = {}

    def rows(
        self, key: Hashable, now: datetime, build: Callable[[], QuerySet[Any, Any]]
    ) -> list[tuple[Any, ...]]:
        """Return the rows of what `build` builds for `now`.

        Each time among its values is taken for one that goes along with `now`.
        """
        if key not in self._built:
            if len(self._built) >= _MOST:
                self._built.clear()
            self._built[key] = (*build().query.sql_with_params(), now)
        sql, values, then = self._built[key]
        passed = now - then
        moved = [value + passed if isinstance(value, datetime) else value for value in values]
        with connection.cursor() as cursor:
            cursor.execute(sql, moved)
            return list(cursor.fetchall())
