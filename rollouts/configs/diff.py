"""The difference between two texts as pages show it: hunks, line numbers, word marks, folds. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

MAX_LINES = 20_000
CONTEXT = 3
_MARKED_LINE = 500  # longer lines get no word marks
_MARKED_BLOCK = 200  # nor do lines of larger changes
_MIN_LIKENESS = 0.3
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_TOP_KEY = re.compile(r"([A-Za-z_][\w./-]*)\s*:")


class LineKind(StrEnum):
    """What happened to a line."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a line; `is_changed` marks words that differ from the other side."""

    text: str
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line with its number on each side (from 1; None where it is not)."""

    kind: LineKind
    old_number: int | None
    new_number: int | None
    parts: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """Return the whole line."""
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class Run:
    """Lines that belong together: a hunk, or unchanged lines to be folded away."""

    lines: tuple[DiffLine, ...]
    is_fold: bool

    @property
    def pairs(self) -> tuple[tuple[DiffLine | None, DiffLine | None], ...]:
        """Return the lines side by side, old and new, for the split view."""
        return tuple(_pairs(self.lines))


@dataclass(frozen=True, slots=True)
class Diff:
    """The whole difference. `is_too_large`: only a patch can be offered, `runs` is empty.

    `changes` counts blocks of changed lines, `sections` names the top-level keys they are in.
    """

    runs: tuple[Run, ...] = ()
    added: int = 0
    removed: int = 0
    changes: int = 0
    sections: tuple[str, ...] = ()
    is_too_large: bool = False
    final_newline: str = ""  # "added" or "removed" when only that end of the text changed

    @property
    def is_same(self) -> bool:
        """Return whether there is nothing to show."""
        return not (self.changes or self.is_too_large or self.final_newline)


def diff(old: str, new: str, *, context: int = CONTEXT) -> Diff:
    """Compare two texts line by line."""
    before, after = _lines(old), _lines(new)
    if max(len(before), len(after)) > MAX_LINES:
        return Diff(is_too_large=True)
    opcodes = difflib.SequenceMatcher(None, before, after).get_opcodes()
    lines: list[DiffLine] = []
    sections: dict[str, None] = {}
    old_sections, new_sections = _sections(before), _sections(after)
    for tag, a, b, c, d in opcodes:
        if tag == "equal":
            lines += [
                DiffLine(LineKind.SAME, a + n + 1, c + n + 1, (Piece(before[a + n]),))
                for n in range(b - a)
            ]
            continue
        lines += _changed(before, after, a, b, c, d)
        touched = old_sections[a:b] + new_sections[c:d]
        sections |= dict.fromkeys(name for name in touched if name)
    ends = old.endswith("\n") - new.endswith("\n") if old and new else 0
    return Diff(
        runs=tuple(_runs(lines, context)),
        added=sum(line.kind is LineKind.ADDED for line in lines),
        removed=sum(line.kind is LineKind.REMOVED for line in lines),
        changes=sum(tag != "equal" for tag, *_ in opcodes),
        sections=tuple(sections),
        final_newline={1: "removed", -1: "added"}.get(ends, ""),
    )


def patch(old: str, new: str, old_name: str, new_name: str) -> str:
    """Return a unified patch, as `patch` and `git apply` read it."""
    found = difflib.unified_diff(_ended_lines(old), _ended_lines(new), old_name, new_name)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in found
    )


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _ended_lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in _lines(text)]
    if lines and not text.endswith("\n"):
        lines[-1] = lines[-1][:-1]
    return lines


def _changed(before: list[str], after: list[str], a: int, b: int, c: int, d: int) -> list[DiffLine]:
    """Return the removed lines, then the added ones, with words marked where lines pair up."""
    old_parts: list[tuple[Piece, ...]] = [(Piece(text),) for text in before[a:b]]
    new_parts: list[tuple[Piece, ...]] = [(Piece(text),) for text in after[c:d]]
    if max(b - a, d - c) <= _MARKED_BLOCK:
        for n in range(min(b - a, d - c)):
            old_parts[n], new_parts[n] = _marked(before[a + n], after[c + n])
    removed = [
        DiffLine(LineKind.REMOVED, a + n + 1, None, parts) for n, parts in enumerate(old_parts)
    ]
    return removed + [
        DiffLine(LineKind.ADDED, None, c + n + 1, parts) for n, parts in enumerate(new_parts)
    ]


def _marked(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    if max(len(old), len(new)) > _MARKED_LINE:
        return (Piece(old),), (Piece(new),)
    before, after = _WORD.findall(old), _WORD.findall(new)
    matcher = difflib.SequenceMatcher(None, before, after)
    if matcher.ratio() < _MIN_LIKENESS:
        return (Piece(old),), (Piece(new),)
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        for parts, words in ((left, before[a:b]), (right, after[c:d])):
            if words:
                parts.append(Piece("".join(words), tag != "equal"))
    return tuple(left), tuple(right)


def _runs(lines: list[DiffLine], context: int) -> Iterator[Run]:
    """Fold unchanged lines further than `context` from a change."""
    changed = [n for n, line in enumerate(lines) if line.kind is not LineKind.SAME]
    near = {m for n in changed for m in range(n - context, n + context + 1)}
    start = 0
    for n in range(1, len(lines) + 1):
        if n == len(lines) or (n in near) != (start in near):
            yield Run(tuple(lines[start:n]), is_fold=start not in near)
            start = n


def _pairs(lines: tuple[DiffLine, ...]) -> Iterator[tuple[DiffLine | None, DiffLine | None]]:
    removed: list[DiffLine] = []
    added: list[DiffLine] = []
    for line in lines:
        if line.kind is LineKind.REMOVED and not added:
            removed.append(line)
        elif line.kind is LineKind.ADDED:
            added.append(line)
        else:
            yield from zip_longest(removed, added)
            removed, added = ([line], []) if line.kind is LineKind.REMOVED else ([], [])
            if line.kind is LineKind.SAME:
                yield line, line
    yield from zip_longest(removed, added)


def _sections(lines: list[str]) -> list[str]:
    """Return, for each line, the top-level YAML key it is under."""
    found: list[str] = []
    for line in lines:
        match = _TOP_KEY.match(line)
        found.append(match[1] if match else found[-1] if found else "")
    return found
