"""The rows of a diff table: the compared lines with a mark where each change begins. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rollouts.configs.diff import Diff, DiffLine, LineKind

FOLD_FROM = 4  # fewer unchanged lines are quicker read than opened


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the unified view; `folded` holds unchanged lines that are put away."""

    line: DiffLine | None = None
    starts_change: bool = False
    folded: tuple[DiffLine, ...] = ()


@dataclass(frozen=True, slots=True)
class LinePair:
    """One row of the split view: old and new beside each other."""

    left: DiffLine | None = None
    right: DiffLine | None = None
    starts_change: bool = False
    folded: tuple[DiffLine, ...] = ()


def unified(diff: Diff, *, fold: bool) -> Iterator[Row]:
    """Yield the rows of one column."""
    inside = False
    for run in diff.runs:
        if run.is_fold and fold and len(run.lines) >= FOLD_FROM:
            inside = False
            yield Row(folded=run.lines)
            continue
        for line in run.lines:
            changed = line.kind is not LineKind.SAME
            yield Row(line, starts_change=changed and not inside)
            inside = changed


def split(diff: Diff) -> Iterator[LinePair]:
    """Yield the rows of two columns."""
    inside = False
    for run in diff.runs:
        if run.is_fold and len(run.lines) >= FOLD_FROM:
            inside = False
            yield LinePair(folded=run.lines)
            continue
        for left, right in run.pairs:
            changed = left is not right
            yield LinePair(left, right, starts_change=changed and not inside)
            inside = changed
