"""What PostgreSQL really did for each statement: rows looked at, by node, as executed.

A plan is judged by its work, not by its estimates: with old statistics the estimates are wrong, and
the question is only whether that costs anything (docs/performance.md, "Tables with a history").
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from psycopg.errors import QueryCanceled

_PLANNED = re.compile(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_NOT_TWICE = re.compile(r"nextval|advisory", re.IGNORECASE)
# Only so that nothing hangs: rows are judged, and how long they take is a matter of the machine.
PATIENCE = "5min"
# A key list that is walked anew for each outer row is quadratic, and no count of rows shows it.
_LONG_LIST = re.compile(r"= ANY \('\{[^}]{500,}")


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a plan and the rows that it looked at, over all its loops."""

    kind: str
    relation: str
    loops: int
    rows: int
    condition: str

    def __str__(self) -> str:
        where = f" of {self.relation}" if self.relation else ""
        return f"{self.kind}{where}: {self.rows:,} rows in {self.loops:,} loops {self.condition}"


@dataclass
class Watch:
    """The statements of a block that looked at more rows than `limit` in one step."""

    limit: int
    statements: int = 0
    over: list[str] = field(default_factory=list)

    def read(self, sql: str, plan: dict[str, Any]) -> None:
        """Judge one plan as EXPLAIN (ANALYZE, FORMAT JSON) gives it."""
        self.statements += 1
        worst = max(nodes(plan), key=lambda node: node.rows)
        walks = [
            node for node in nodes(plan) if node.loops > 1 and _LONG_LIST.search(node.condition)
        ]
        if worst.rows > self.limit or walks:
            text = " ".join(sql.split())
            self.over.append(f"{walks[0] if walks else worst}\n    {text[:600]}")


def nodes(plan: dict[str, Any]) -> Iterator[Node]:
    """Yield each node of a plan with the rows that it looked at."""
    loops = int(plan["Actual Loops"])
    removed = sum(
        plan.get(name, 0)
        for name in (
            "Rows Removed by Filter",
            "Rows Removed by Join Filter",
            "Rows Removed by Index Recheck",
        )
    )
    conditions = [plan[name] for name in ("Index Cond", "Filter", "Join Filter") if name in plan]
    yield Node(
        plan["Node Type"],
        plan.get("Relation Name", plan.get("CTE Name", "")),
        loops,
        int((plan["Actual Rows"] + removed) * max(1, loops)),
        "; ".join(conditions)[:2000],
    )
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@contextlib.contextmanager
def watched(limit: int) -> Iterator[Watch]:
    """Run each statement of the block twice, first under EXPLAIN ANALYZE in a savepoint.

    Needs a transaction. `limit` is how many rows one step of one statement may look at.
    """
    watch = Watch(limit)

    def explain(
        execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        text = str(sql)
        if not many and _PLANNED.match(text) and not _NOT_TWICE.search(text):
            watch.read(text, explained(text, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield watch


def explained(sql: str, params: Any) -> dict[str, Any]:
    """Return the plan of a statement as it is executed; what it does is undone."""
    assert connection.in_atomic_block, "a statement is tried in a savepoint"
    with connection.connection.cursor() as cursor:
        cursor.execute(f"SAVEPOINT explained; SET LOCAL statement_timeout = '{PATIENCE}'")
        try:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
            row = cursor.fetchone()[0]
        except QueryCanceled:
            pytest.fail(f"over {PATIENCE}: {' '.join(sql.split())[:600]}")
        finally:
            cursor.execute("ROLLBACK TO SAVEPOINT explained; RELEASE SAVEPOINT explained")
    found: dict[str, Any] = (json.loads(row) if isinstance(row, str) else row)[0]["Plan"]
    return found
