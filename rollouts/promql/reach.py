"""How far back an expression looks (spec section 6, triggers). Pure.

Only what is read as the present counts. Where one side of an operation looks through an offset, an
`@` or a subquery and the other does not, it is the past that the other is compared with: it may
reach back before a change, because that is what it is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reach:
    """`seconds` back from the time asked for. `is_past` when through an offset or a subquery; such
    a reach cannot be shortened, only awaited."""

    seconds: float = 0.0
    is_past: bool = False

    def __or__(self, other: Reach) -> Reach:
        return Reach(max(self.seconds, other.seconds), self.is_past or other.is_past)


def of(node: Any) -> Reach:
    """Return the reach of the present of an expression."""
    kind = type(node).__name__
    if kind == "VectorSelector":
        return _back(node)
    if kind == "MatrixSelector":
        found = _back(node.vector_selector)
        return Reach(found.seconds + node.range.total_seconds(), found.is_past)
    if kind == "SubqueryExpr":
        more = _back(node).seconds + node.range.total_seconds()
        return Reach(of(node.expr).seconds + more, True)
    if kind in {"ParenExpr", "UnaryExpr", "AggregateExpr"}:
        return of(node.expr)
    if kind == "Call":
        found = Reach()
        for arg in node.args:
            found = found | of(arg)
        return found
    if kind == "BinaryExpr":
        left, right = present_sides(node)
        return (of(node.lhs) if left else Reach()) | (of(node.rhs) if right else Reach())
    return Reach()


def present_sides(node: Any) -> tuple[bool, bool]:
    """Tell which sides of an operation are read as the present: both, or the one that is compared
    with a past."""
    left, right = of(node.lhs), of(node.rhs)
    if left.is_past == right.is_past or not _has_series(node.lhs) or not _has_series(node.rhs):
        return (True, True)
    return (right.is_past, left.is_past)


def _back(node: Any) -> Reach:
    """What `offset` and `@` of a selector add. An `@` looks at a time of its own: only a past can
    be meant, however far back."""
    offset = node.offset.total_seconds() if node.offset is not None else 0.0
    return Reach(max(0.0, offset), offset > 0 or node.at is not None)


def _has_series(node: Any) -> bool:
    kind = type(node).__name__
    if kind in {"VectorSelector", "MatrixSelector", "SubqueryExpr"}:
        return True
    if kind in {"ParenExpr", "UnaryExpr", "AggregateExpr"}:
        return _has_series(node.expr)
    if kind == "Call":
        return any(_has_series(arg) for arg in node.args)
    return kind == "BinaryExpr" and (_has_series(node.lhs) or _has_series(node.rhs))
