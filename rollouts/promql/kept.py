"""Which labels the result of a PromQL expression can carry, by its parsed tree. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser as parser

_SET_OPERATIONS = frozenset({"and", "unless"})
_WITHOUT_LABELS = frozenset(
    {"absent", "absent_over_time", "scalar", "vector", "time", "pi"}
    | {"minute", "hour", "month", "year"}
)
# Aggregations that give back series as they are.
_CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})


@dataclass(frozen=True, slots=True)
class Kept:
    """A set of label names: those in `only` (None: any) that are not in `never`."""

    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()

    def __contains__(self, label: str) -> bool:
        return label not in self.never and (self.only is None or label in self.only)

    def limited_to(self, labels: Iterable[str]) -> Kept:
        """Return what is left of it when only these labels stay."""
        return Kept(frozenset(label for label in labels if label in self))

    def less(self, labels: Iterable[str]) -> Kept:
        """Return what is left of it when these labels go."""
        return Kept(self.only, self.never | frozenset(labels))

    def plus(self, labels: Iterable[str]) -> Kept:
        """Return it with these labels added."""
        more = frozenset(labels)
        return Kept(None if self.only is None else self.only | more, self.never - more)

    def __or__(self, other: Kept) -> Kept:
        if self.only is None or other.only is None:
            return Kept(None, self.never & other.never)
        return Kept(self.only | other.only, frozenset())

    def of(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return those of a series' labels that are kept."""
        return {name: value for name, value in labels.items() if name in self}


NOTHING = Kept(frozenset())


def kept_by(node: Any) -> Kept:
    """Return the labels that the result of this part can carry."""
    kind = type(node).__name__
    if kind in {"NumberLiteral", "StringLiteral"}:
        return NOTHING
    if kind in {"ParenExpr", "UnaryExpr", "SubqueryExpr"}:
        return kept_by(node.expr)
    if kind == "Call":
        return _call(node)
    if kind == "AggregateExpr":
        return _aggregate(node)
    return _binary(node) if kind == "BinaryExpr" else Kept()


def _call(node: Any) -> Kept:
    name, args = node.func.name, node.args
    if name in _WITHOUT_LABELS and (name not in {"minute", "hour", "month", "year"} or not args):
        return NOTHING
    kept = NOTHING
    for arg in args:
        kept = kept | kept_by(arg)
    return kept.plus([args[1].val]) if name in {"label_replace", "label_join"} else kept


def _aggregate(node: Any) -> Kept:
    inside, operation = kept_by(node.expr), str(node.op)
    if operation in _CHOOSING:
        return inside
    if node.modifier is None:
        kept = NOTHING
    elif node.modifier.type == parser.AggModifierType.By:
        kept = inside.limited_to(node.modifier.labels)
    else:
        kept = inside.less(node.modifier.labels)
    return kept.plus([node.param.val]) if operation == "count_values" else kept


def _binary(node: Any) -> Kept:
    left, right, modifier = kept_by(node.lhs), kept_by(node.rhs), node.modifier
    operation = str(node.op)
    if operation == "or":
        return left | right
    if operation in _SET_OPERATIONS:
        return left
    if not _is_vector(node.lhs):
        return right
    if not _is_vector(node.rhs) or modifier is None:
        return left
    if modifier.card == parser.VectorMatchCardinality.OneToMany:
        return right.plus(modifier.group_labels or ())
    if modifier.card == parser.VectorMatchCardinality.ManyToOne:
        return left.plus(modifier.group_labels or ())
    if modifier.matching is None:
        return left
    if modifier.matching.type == parser.LabelModifierType.Include:
        return left.limited_to(modifier.matching.labels)
    return left.less(modifier.matching.labels)


def _is_vector(node: Any) -> bool:
    kind = type(node).__name__
    if kind in {"ParenExpr", "UnaryExpr"}:
        return _is_vector(node.expr)
    if kind == "BinaryExpr":
        return _is_vector(node.lhs) or _is_vector(node.rhs)
    if kind == "Call":
        return node.func.name not in {"scalar", "time", "pi"}
    return kind != "NumberLiteral"
