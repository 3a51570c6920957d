"""Writing an expression again with other spellings and shorter ranges. Pure.

What is not changed is written as the parser understood it, which is the same question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollouts.promql.build import quoted
from rollouts.promql.reach import of as reach_of
from rollouts.promql.reach import present_sides
from rollouts.promql.read import Expression, metric_of


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What is changed: each metric in `names` is asked under all of its spellings, of each series
    the first that is there; ranges of the present are at most `longest_s`."""

    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    longest_s: float | None = None


def rewritten(found: Expression, how: Rewriting) -> str:
    """Return the expression as PromQL; as it was written when nothing changes."""
    same_names = all(list(names) == [name] for name, names in how.names.items())
    is_short = how.longest_s is None or found.reach.seconds <= how.longest_s
    if same_names and is_short:
        return found.text
    return _Writer(how).write(found.tree, present=True)


class _Writer:
    def __init__(self, how: Rewriting) -> None:
        self._how = how

    def write(self, node: Any, *, present: bool) -> str:
        kind = type(node).__name__
        if kind == "ParenExpr":
            return f"({self.write(node.expr, present=present)})"
        if kind == "UnaryExpr":
            return f"-{self.write(node.expr, present=present)}"
        if kind == "StringLiteral":
            return quoted(node.val)
        writer = _WRITERS.get(kind)
        return str(node.prettify()) if writer is None else writer(self, node, present)

    def _binary(self, node: Any, present: bool) -> str:
        now = present_sides(node)
        left = self.write(node.lhs, present=present and now[0])
        right = self.write(node.rhs, present=present and now[1])
        modifier = f" {node.modifier}" if node.modifier is not None and str(node.modifier) else ""
        return f"{left} {node.op}{modifier} {right}"

    def _aggregate(self, node: Any, present: bool) -> str:
        inside = self.write(node.expr, present=present)
        if node.param is not None:
            inside = f"{self.write(node.param, present=present)}, {inside}"
        labels = f" {node.modifier} " if node.modifier is not None else ""
        return f"{node.op}{labels}({inside})"

    def _call(self, node: Any, present: bool) -> str:
        is_about_samples = node.func.name == "timestamp"
        choices = [self._choices(arg, present, is_about_samples) for arg in node.args]
        most = max((len(choice) for choice in choices), default=1)
        calls = [
            f"{node.func.name}({', '.join(c[min(n, len(c) - 1)] for c in choices)})"
            for n in range(most)
        ]
        if most == 1:
            return calls[0]
        # Absent is what is there under no spelling.
        joint = " and " if node.func.name == "absent_over_time" else " or "
        return f"({joint.join(calls)})"

    def _choices(self, arg: Any, present: bool, is_about_samples: bool) -> list[str]:
        """Return the argument under every spelling, where the call needs a metric itself."""
        kind = type(arg).__name__
        if kind == "MatrixSelector":
            return self._matrix(arg, present)
        if kind == "VectorSelector" and is_about_samples:
            return self._spelled(arg.prettify(), arg)
        return [self.write(arg, present=present)]

    def _matrix(self, node: Any, present: bool) -> list[str]:
        text, range_s = node.prettify(), node.range.total_seconds()
        longest_s = self._how.longest_s
        is_cut = present and longest_s is not None and range_s > longest_s
        if is_cut and not reach_of(node).is_past:
            head, _, tail = text.rpartition("[")
            text = f"{head}[{max(1, int(longest_s or 0))}s]{tail.partition(']')[2]}"
        return self._spelled(text, node.vector_selector)

    def _selector(self, node: Any, present: bool) -> str:
        found = self._spelled(node.prettify(), node)
        return found[0] if len(found) == 1 else f"({' or '.join(found)})"

    def _spelled(self, text: str, selector: Any) -> list[str]:
        name = metric_of(selector)
        names = self._how.names.get(name, (name,))
        if not selector.name:  # the name stands between the braces
            quoted_name = quoted(name)
            return [text.replace(quoted_name, quoted(other), 1) for other in names]
        return [other + text[len(name) :] for other in names]

    def _subquery(self, node: Any, present: bool) -> str:
        tail = node.prettify().rpartition("[")[2]
        return f"{self.write(node.expr, present=False)}[{tail}"


_WRITERS = {
    "BinaryExpr": _Writer._binary,
    "AggregateExpr": _Writer._aggregate,
    "Call": _Writer._call,
    "MatrixSelector": lambda writer, node, present: writer._matrix(node, present)[0],
    "VectorSelector": _Writer._selector,
    "SubqueryExpr": _Writer._subquery,
}
