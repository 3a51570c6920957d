"""Line differences of two texts for the diff table: real line numbers, folds, word marks. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MAX_LINES = 20_000  # above this only the patch is offered (ui.md 4.4)
CONTEXT = 4
FOLD_FROM = 8  # shorter unchanged runs are shown whole
_WORDS = re.compile(r"\s+|[\w.-]+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line; marked when it is what changed in the line."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `kind` is same, add, del or fold (then `folded` holds the unchanged lines)."""

    kind: str
    old: int | None
    new: int | None
    pieces: list[Piece]
    folded: list[tuple[int, str]] = field(default_factory=list)
    starts_change: bool = False

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Diff:
    """A difference, with what it comes to."""

    rows: list[Row]
    added: int
    removed: int
    changes: int
    sections: list[str]
    too_large: bool = False


def _lines(text: str) -> list[str]:
    return text.splitlines()


def _marked(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    """Return both lines cut into pieces, the words that differ marked; none if all differs."""
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < 0.4:
        return [Piece(old)], [Piece(new)]
    left, right = [], []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if i2 > i1:
            left.append(Piece("".join(a[i1:i2]), tag != "equal"))
        if j2 > j1:
            right.append(Piece("".join(b[j1:j2]), tag != "equal"))
    return left, right


def _changed(a: Sequence[str], b: Sequence[str], span: tuple[int, int, int, int]) -> Iterator[Row]:
    """Yield removed lines, then added ones, paired by position for the word marks."""
    i1, i2, j1, j2 = span
    pairs = [_marked(a[i1 + k], b[j1 + k]) for k in range(min(i2 - i1, j2 - j1))]
    for k in range(i1, i2):
        pieces = pairs[k - i1][0] if k - i1 < len(pairs) else [Piece(a[k])]
        yield Row("del", k + 1, None, pieces, starts_change=k == i1)
    for k in range(j1, j2):
        pieces = pairs[k - j1][1] if k - j1 < len(pairs) else [Piece(b[k])]
        yield Row("add", None, k + 1, pieces, starts_change=k == j1 and i1 == i2)


def _same(
    b: Sequence[str], shift: int, start: int, end: int, *, first: bool, last: bool
) -> Iterator[Row]:
    """Yield unchanged lines `start` to `end` of the new text, long runs folded."""
    head, tail = (0 if first else CONTEXT), (0 if last else CONTEXT)
    if end - start <= max(FOLD_FROM, head + tail + 1):
        for j in range(start, end):
            yield Row("same", j - shift + 1, j + 1, [Piece(b[j])])
        return
    for j in range(start, start + head):
        yield Row("same", j - shift + 1, j + 1, [Piece(b[j])])
    folded = [(j + 1, b[j]) for j in range(start + head, end - tail)]
    yield Row("fold", None, None, [], folded)
    for j in range(end - tail, end):
        yield Row("same", j - shift + 1, j + 1, [Piece(b[j])])


def diff(old: str, new: str, *, fold: bool = True) -> Diff:
    """Return the difference of two texts. With `fold=False` every line is there."""
    a, b = _lines(old), _lines(new)
    if max(len(a), len(b)) > MAX_LINES:
        return Diff([], 0, 0, 0, [], too_large=True)
    rows: list[Row] = []
    added = removed = changes = 0
    touched: list[int] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b).get_opcodes():
        if tag == "equal":
            if fold:
                rows += _same(b, j1 - i1, j1, j2, first=not j1, last=j2 == len(b))
            else:
                rows += [Row("same", j - j1 + i1 + 1, j + 1, [Piece(b[j])]) for j in range(j1, j2)]
            continue
        changes += 1
        added, removed = added + j2 - j1, removed + i2 - i1
        touched.append(min(j1, len(b) - 1))
        rows += _changed(a, b, (i1, i2, j1, j2))
    return Diff(rows, added, removed, changes, _sections(b, touched))


def _sections(lines: Sequence[str], touched: Sequence[int]) -> list[str]:
    """Return the top-level keys above the changed lines: `processors`, `exporters`."""
    found: dict[str, None] = {}
    for start in touched:
        for line in reversed(lines[: start + 1]):
            if line[:1].isalpha() and ":" in line:
                found[line.split(":", 1)[0]] = None
                break
    return list(found)


def patch(old: str, new: str, old_name: str, new_name: str) -> str:
    """Return the unified patch as `diff -u` writes it."""
    lines = difflib.unified_diff(_lines(old), _lines(new), old_name, new_name, lineterm="")
    return "\n".join(lines) + "\n"


def pairs(rows: Sequence[Row]) -> list[tuple[Row | None, Row | None]]:
    """Put rows side by side for the split view: a removed line beside the added one."""
    found: list[tuple[Row | None, Row | None]] = []
    left: list[Row] = []
    right: list[Row] = []

    def flush() -> None:
        for i in range(max(len(left), len(right))):
            found.append((left[i] if i < len(left) else None, right[i] if i < len(right) else None))
        left.clear()
        right.clear()

    for row in rows:
        if row.kind == "del":
            if right:
                flush()
            left.append(row)
        elif row.kind == "add":
            right.append(row)
        else:
            flush()
            found.append((row, row))
    flush()
    return found
