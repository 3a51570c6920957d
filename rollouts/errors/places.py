"""Which lines of a config an error text names, and what stood there in the version before. Pure.

The hints of the text (`mentions`) are followed down the document as far as it goes along. What the
document does not have is not guessed: no place is better than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agents.components import present_id
from console.lib.secret_text import HIDDEN
from console.lib.yaml import Document, Path, load
from console.lib.yaml_scalars import YamlError
from rollouts.configs.secrets import literal_secrets
from rollouts.errors.mentions import SECTION_KINDS, Clause, Hint, HintKind, clauses, parts_of

MAX_PLACES = 3
MAX_READ_BYTES = 512 * 1024
MAX_SOURCE_CHARS = 200
_MAX_NODES = 20_000
_MAX_HITS = 2
_SECTIONS = (*SECTION_KINDS, "service")
# Words that collectors quote, and that stand in every config.
_EVERYWHERE = frozenset(
    {"traces", "metrics", "logs", "profiles", "string", "int", "bool", "map", "true", "false"}
    | {"tcp", "udp", "http", "grpc", "otlp", "batch", "debug"}
)
_PART_OF_A_VALUE = re.compile(r"[$]\{|:\d+\Z|\A/|://")


class PlaceChange(StrEnum):
    """What became of a place since the version before."""

    CHANGED = "changed"
    NEW = "new"
    REMOVED = "removed"
    SAME = "same"
    UNKNOWN = "unknown"  # there is no version before


@dataclass(frozen=True, slots=True)
class ConfigText:
    """A config as it is shown and read. `document` is None when it was too large to be read for this;
    `secret` are the lines on which a secret begins."""

    lines: tuple[str, ...]
    document: Document | None
    secret: frozenset[int]

    def line(self, number: int) -> str:
        """Return one line as it is shown, its secret hidden; "" for one that is not there."""
        if not 1 <= number <= len(self.lines):
            return ""
        line = self.lines[number - 1].strip()
        if number in self.secret:
            return f"{line.partition(':')[0]}: {HIDDEN}"
        return line[:MAX_SOURCE_CHARS]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of a version, counted from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """What the text names, by its path where it has one; `was` is what the version before had there."""

    line: SourceLine
    path: tuple[str | int, ...]
    change: PlaceChange
    was: SourceLine | None


def source_of(body: bytes) -> ConfigText:
    """Read a config body; one that is over MAX_READ_BYTES only as lines."""
    lines = tuple(body.decode("utf-8", "replace").splitlines())
    if len(body) > MAX_READ_BYTES:
        return ConfigText(lines, None, frozenset())
    try:
        document = load(body)
    except YamlError:
        return ConfigText(lines, None, frozenset())
    return ConfigText(lines, document, frozenset(line for line, _ in literal_secrets(document)))


def places(text: str, new: ConfigText, old: ConfigText | None) -> tuple[Place, ...]:
    """Return what a text names in `new`, at most MAX_PLACES; none when it names nothing there."""
    read = clauses(text)
    paths: list[Path] = []
    if new.document is not None:
        paths = _paths(read, new.document) or _of_values(read, new.document)
    if paths:
        return tuple(_place(path, read, new, old) for path in paths[:MAX_PLACES])
    return tuple(_of_line(number, new, old) for number in _lines(read, len(new.lines))[:MAX_PLACES])


def _paths(read: tuple[Clause, ...], document: Document) -> list[Path]:
    """Follow the clauses; return the deepest paths they lead to, in the order of the text."""
    scope: Path = ()
    ends: list[Path] = []
    opened: list[Path] = []
    for clause in read:
        path, keys = _follow(clause, scope, document.data)
        if clause.opens:
            scope = path
            opened += [path] if path else []
        elif keys:
            ends += keys
        elif path:
            ends.append(_deeper(path, clause, document))
    found = list(dict.fromkeys(ends or opened[-1:]))
    return [path for path in found if not any(_is_above(path, other) for other in found)]


def _is_above(path: Path, other: Path) -> bool:
    return len(path) < len(other) and other[: len(path)] == path


def _follow(clause: Clause, scope: Path, data: Any) -> tuple[Path, list[Path]]:
    """Return where a clause leads from `scope`, and the wrong keys that it lists there."""
    path, keys = scope, []
    for hint in clause.hints:
        if hint.kind is HintKind.KEY:
            keys += (
                [(*path, hint.parts[0])]
                if _at(data, (*path, hint.parts[0])) is not _NOTHING
                else []
            )
        elif (found := _step(hint, path, scope, data)) is not None:
            path = found
    return path, keys


def _step(hint: Hint, path: Path, scope: Path, data: Any) -> Path | None:
    """Return where one hint leads, None when nowhere."""
    if hint.kind is HintKind.QUOTED:
        for base in dict.fromkeys((path, scope, ())):
            if (base or hint.parts[0].partition(".")[0] in _SECTIONS or not path) and (
                found := _walk(data, base, hint.parts)
            )[1]:
                return found[0]
    elif hint.kind is HintKind.PATH:
        reached = max((_walk(data, base, hint.parts)[0] for base in (path, ())), key=len)
        if len(reached) > len(path) or reached[:1] != path[:1]:
            return reached if len(reached) > 1 or not parts_of(hint)[1:] else None
    elif hint.kind is HintKind.COMPONENT:
        section, name = hint.parts
        return _component(data, (section, "connectors"), name)
    elif hint.kind is HintKind.ID:
        sections = (str(path[0]),) if len(path) == 1 else tuple(SECTION_KINDS)
        return _component(data, sections, hint.parts[0])
    elif hint.kind is HintKind.MEMBER:
        return _member(data, path, *hint.parts)
    return None


class _Nothing:
    """Stands for what is not in a document, since None may be."""


_NOTHING = _Nothing()


def _at(data: Any, path: Path) -> Any:
    for part in path:
        is_key = isinstance(data, dict) and part in data
        is_place = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if not is_key and not is_place:
            return _NOTHING
        data = data[part]
    return data


def _walk(data: Any, base: Path, parts: tuple[str, ...]) -> tuple[Path, bool]:
    """Go down by the parts; return how far one comes, and whether that was all the way.

    A part may be several steps (`a.b[0]`, `a/b`): the longest key that fits is taken, because keys
    have dots and slashes of their own.
    """
    path, node = base, _at(data, base)
    for part in parts:
        rest = part
        while rest:
            step, rest, node = _down(node, rest, path)
            if step is None:
                return path, False
            path = (*path, step)
    return path, True


def _down(node: Any, rest: str, path: Path) -> tuple[str | int | None, str, Any]:
    """Take one step; return the key (None when there is none), what is left, and what is there."""
    if isinstance(node, list) and (index := re.match(r"\.?\[?(\d{1,6})\]?[./]?", rest)):
        number = int(index[1])
        if number < len(node):
            return number, rest[index.end() :], node[number]
    if isinstance(node, dict):
        ends = [len(rest), *(m.start() for m in reversed(list(re.finditer(r"[./\[]", rest))))]
        for end in ends:
            key = _key(node, rest[:end], path)
            if key is not None:
                left = rest[end:]
                return key, left if left.startswith("[") else left[1:], node[key]
    return None, rest, _NOTHING


def _key(node: dict[str, Any], name: str, path: Path) -> str | None:
    """Return the key of this name; in a section also under another name of the same component."""
    if name in node:
        return name
    if len(path) == 1 and path[0] in SECTION_KINDS and name:
        section = str(path[0])
        wanted = present_id(section, name)
        return next((key for key in node if present_id(section, key) == wanted), None)
    return None


def _component(data: Any, sections: tuple[str, ...], name: str) -> Path | None:
    for section in sections:
        node = _at(data, (section,))
        if isinstance(node, dict) and (key := _key(node, name, (section,))) is not None:
            return section, key
    return None


def _member(data: Any, path: Path, section: str, name: str) -> Path | None:
    """Return the item of a list that names a component: of this pipeline, of any, of the service."""
    pipelines: list[Path] = [path] if path[:2] == ("service", "pipelines") and len(path) > 2 else []
    every = _at(data, ("service", "pipelines"))
    if not pipelines and isinstance(every, dict):
        pipelines = [("service", "pipelines", key) for key in every]
    roles = ("exporters", "receivers") if section == "connectors" else (section,)
    lists = [(*pipeline[:3], role) for pipeline in pipelines for role in roles]
    for place in [("service", "extensions")] if section == "extensions" else lists:
        items = _at(data, place)
        if isinstance(items, list) and name in items:
            return (*place, items.index(name))
    return None


def _words(clause: Clause) -> list[str]:
    kinds = (HintKind.VALUE, HintKind.QUOTED)
    return [hint.parts[0] for hint in clause.hints if hint.kind in kinds]


def _deeper(path: Path, clause: Clause, document: Document) -> Path:
    """Go on below a path to the key or value that the clause quotes, when exactly one fits."""
    node = _at(document.data, path)
    if not isinstance(node, dict | list):
        return path
    for word in _words(clause):
        if isinstance(node, dict) and word in node:
            return (*path, word)
        hits = [
            found for found, key, value in _below(node, path) if key == word or _is(value, word)
        ]
        if len(hits) == 1:
            return hits[0]
    return path


def _of_values(read: tuple[Clause, ...], document: Document) -> list[Path]:
    """Return the values of the document that the text quotes, where they are no common words."""
    words = [word for clause in read for word in _words(clause)]
    found: list[Path] = []
    for word in dict.fromkeys(word for word in words if len(word) > 2 and word not in _EVERYWHERE):
        hits = [path for path, _, value in _below(document.data, ()) if _is(value, word)]
        if len(hits) <= _MAX_HITS:
            found += hits
    return list(dict.fromkeys(found))


def _is(value: Any, word: str) -> bool:
    """Tell whether a scalar is the word; an address, a file or a reference may be a part of it."""
    if isinstance(value, dict | list) or value is None:
        return False
    said = str(value).lower() if isinstance(value, bool) else str(value)
    return said == word or (_PART_OF_A_VALUE.search(word) is not None and word in said)


def _below(root: Any, base: Path) -> Iterator[tuple[Path, str | int, Any]]:
    """Yield path, key and value of everything below, breadth first, _MAX_NODES at most."""
    level: list[tuple[Path, Any]] = [(base, root)]
    left = _MAX_NODES
    while level:
        following: list[tuple[Path, Any]] = []
        for path, node in level:
            items = node.items() if isinstance(node, dict) else enumerate(node)
            for key, value in items:
                left -= 1
                if left < 0:
                    return
                yield (*path, key), key, value
                if isinstance(value, dict | list):
                    following.append(((*path, key), value))
        level = following


def _lines(read: tuple[Clause, ...], length: int) -> list[int]:
    numbers = [int(h.parts[0]) for c in read for h in c.hints if h.kind is HintKind.LINE]
    return list(dict.fromkeys(number for number in numbers if 1 <= number <= length))


def _of_line(number: int, new: ConfigText, old: ConfigText | None) -> Place:
    """Return a place of which only the line is known; the version before is compared by its text."""
    line = SourceLine(number, new.line(number))
    if old is None:
        return Place(line, (), PlaceChange.UNKNOWN, None)
    same = [n for n, text in enumerate(old.lines, 1) if text.strip() == line.text]
    if not same:
        return Place(line, (), PlaceChange.NEW, None)
    nearest = min(same, key=lambda n: abs(n - number))
    return Place(line, (), PlaceChange.SAME, SourceLine(nearest, old.line(nearest)))


def _place(path: Path, read: tuple[Clause, ...], new: ConfigText, old: ConfigText | None) -> Place:
    assert new.document is not None
    number = new.document.key_mark(*path).line
    line = SourceLine(number, new.line(number))
    if old is None or old.document is None:
        return Place(line, path, PlaceChange.UNKNOWN, None)
    value, before = _at(new.document.data, path), old.document.data
    then = _then(path, value, before)
    if then is None:
        return Place(line, path, PlaceChange.NEW, None)
    if isinstance(value, dict | None) and isinstance(was := _at(before, then), dict):
        gone = [
            word for c in read for word in _words(c) if word in was and word not in (value or {})
        ]
        if gone:
            return Place(line, path, PlaceChange.REMOVED, _line_of(old, (*then, gone[0])))
    same = _at(before, then) == value
    return Place(line, path, PlaceChange.SAME if same else PlaceChange.CHANGED, _line_of(old, then))


def _line_of(source: ConfigText, path: Path) -> SourceLine:
    assert source.document is not None
    number = source.document.key_mark(*path).line
    return SourceLine(number, source.line(number))


def _then(path: Path, value: Any, before: Any) -> Path | None:
    """Return the same place in the version before; an item of a list is looked up by what it is, then
    by where it is."""
    if path and isinstance(path[-1], int):
        items = _at(before, path[:-1])
        if isinstance(items, list) and value in items:
            return (*path[:-1], items.index(value))
    return path if _at(before, path) is not _NOTHING else None
