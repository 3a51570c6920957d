"""YAML from anyone, read under guard (security.md R46): the only place that touches PyYAML.

The document is built from the C parser's event stream with a stack of our own, so that depth,
aliases and nodes are counted before anything is made of them: a deep file crashes the C *loader*.
Scalars are YAML 1.2 core (`on` and `12:30` are text, `0o7` is 7), as the collector's parser reads
them; keys are always text; a key given twice is refused; every key and value keeps its position.

Reading megabytes takes about a second: call it in a thread, never on an event loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from console.lib import yaml_scalars
from console.lib.texts import text as say
from console.lib.yaml_scalars import Value, YamlError, YamlLimit

Path = tuple[str | int, ...]
# How a scalar was written, where that is not how we would write it: by the mapping or list that holds
# it (its `id`; the document keeps it alive) and its key there. So aliases and merged keys have theirs.
Spellings = dict[tuple[int, str | int], str]


@dataclass(frozen=True, slots=True)
class YamlLimits:
    """What a document may cost. `nodes` counts what an alias stands for, each time it is used."""

    size_bytes: int = 4 * 1024 * 1024
    depth: int = 64
    aliases: int = 200
    nodes: int = 200_000


DEFAULT_LIMITS = YamlLimits()


@dataclass(frozen=True, slots=True)
class Mark:
    """A position, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: plain data, and where each key and value of it stands."""

    data: Value
    start: Mark
    values: dict[Path, Mark] = field(repr=False)
    keys: dict[Path, Mark] = field(repr=False)
    spellings: Spellings = field(repr=False, default_factory=dict)

    def mark(self, *path: str | int) -> Mark:
        """Return where a value begins; for what is not there, where its nearest parent does."""
        return self._nearest(self.values, path)

    def key_mark(self, *path: str | int) -> Mark:
        """Return where the key of a mapping entry (or the item of a list) begins."""
        return self.keys.get(path) or self._nearest(self.values, path)

    def written(self, data: Value) -> Value:
        """Return a part of this document's data for where text is meant: numbers and booleans that
        are written otherwise than we would write them are the text that stands in the file (`0042`
        is "0042", `1.10` is "1.10", `True` is "True").
        """
        if isinstance(data, dict):
            return {key: self._written(data, key, value) for key, value in data.items()}
        if isinstance(data, list):
            return [self._written(data, number, value) for number, value in enumerate(data)]
        return data

    def _written(
        self, holder: dict[str, Value] | list[Value], key: str | int, value: Value
    ) -> Value:
        if isinstance(value, dict | list):
            return self.written(value)
        return self.spellings.get((id(holder), key), value)

    def _nearest(self, marks: dict[Path, Mark], path: Path) -> Mark:
        while path and path not in marks:
            path = path[:-1]
        return marks.get(path, self.start)


def load(text: bytes | str, *, limits: YamlLimits = DEFAULT_LIMITS) -> Document:
    """Read exactly one document; an empty text gives a document of None. Raises YamlError."""
    documents = load_all(text, limits=limits)
    if len(documents) > 1:
        mark = documents[1].start
        raise YamlError(say("yaml.second_document"), mark.line)
    return documents[0] if documents else Document(None, Mark(1, 1), {}, {})


def load_all(text: bytes | str, *, limits: YamlLimits = DEFAULT_LIMITS) -> list[Document]:
    """Read every document of a multi-document text. Raises YamlError (YamlLimit for bombs)."""
    size_bytes = len(text) if isinstance(text, bytes) else len(text.encode(errors="replace"))
    if size_bytes > limits.size_bytes:
        raise YamlLimit(say("yaml.too_large", size=size_bytes, most=limits.size_bytes))
    return _Builder(limits).documents(_events(_decoded(text)))


def _decoded(text: bytes | str) -> str:
    if isinstance(text, str):
        if (at := text.find("\x00")) >= 0:
            raise YamlError(say("yaml.nul"), text.count("\n", 0, at) + 1)
        return text.removeprefix("\ufeff")
    try:
        return _decoded(text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise YamlError(say("yaml.not_utf8"), line) from error


def written(value: object) -> str:
    """Return plain data as YAML, mappings in their order."""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)
    return text


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        raise yaml_scalars.syntax_error(error, text) from error
    except yaml.reader.ReaderError as error:
        line = text.encode().count(b"\n", 0, error.position) + 1
        raise YamlError(say("yaml.control_character", character=error.character), line) from error
    except UnicodeEncodeError as error:
        raise YamlError(say("yaml.surrogate")) from error


@dataclass(slots=True)
class _Frame:
    """A mapping or list being read; `key` is the pending key of a mapping."""

    made: dict[str, Value] | list[Value]
    path: Path
    anchor: str | None
    start: Mark
    size: int = 1
    key: str | None = None
    merges: list[dict[str, Value]] = field(default_factory=list)
    own: dict[str, int] = field(default_factory=dict)


class _Builder:
    """Makes documents of events. Holds the state of one text."""

    def __init__(self, limits: YamlLimits) -> None:
        self.limits = limits
        self.aliases = 0
        self.nodes = 0

    def documents(self, events: Iterator[yaml.Event]) -> list[Document]:
        found: list[Document] = []
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.DocumentEndEvent):
                found.append(
                    Document(self.root, self.start, self.values, self.keys, self.spellings)
                )
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close()
        return found

    def _begin(self, event: yaml.Event) -> None:
        self.root: Value = None
        self.start = _mark(event)
        self.values: dict[Path, Mark] = {}
        self.keys: dict[Path, Mark] = {}
        self.anchors: dict[str, tuple[Value, int, str | None]] = {}
        self.spellings: Spellings = {}
        self.stack: list[_Frame] = []

    def _node(self, event: yaml.NodeEvent) -> None:
        mark = _mark(event)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and isinstance(frame.made, dict) and frame.key is None:
            self._key(frame, event, mark)
            return
        path = self._next_path(frame)
        self.values[path] = mark
        if isinstance(event, yaml.CollectionStartEvent):
            self._open(event, path, mark)
        elif isinstance(event, yaml.AliasEvent):
            value, size, spelling = self._alias(event.anchor or "", mark)
            self._put(value, size, mark, spelling)
        elif isinstance(event, yaml.ScalarEvent):
            value = yaml_scalars.resolve(event, mark.line, mark.column)
            spelling = yaml_scalars.own_spelling(event, value)
            if event.anchor:
                self.anchors[event.anchor] = (value, 1, spelling)
            self._put(value, 1, mark, spelling)

    def _key(self, frame: _Frame, event: yaml.NodeEvent, mark: Mark) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise YamlError(say("yaml.key_is_no_text"), mark.line, mark.column)
        self._count(1, mark)
        key = event.value
        if event.anchor:
            self.anchors[event.anchor] = (key, 1, None)
        if key in frame.own:
            raise YamlError(
                say("yaml.key_twice", key=key[:60], line=frame.own[key]),
                mark.line,
                mark.column,
                code="duplicate_key",
            )
        frame.own[key] = mark.line
        frame.key = key
        self.keys[(*frame.path, key)] = mark

    def _open(self, event: yaml.CollectionStartEvent, path: Path, mark: Mark) -> None:
        if len(self.stack) >= self.limits.depth:
            raise YamlLimit(say("yaml.deeper_than", most=self.limits.depth), mark.line, mark.column)
        self._count(1, mark)
        yaml_scalars.check_collection_tag(event, mark.line, mark.column)
        made: dict[str, Value] | list[Value] = (
            {} if isinstance(event, yaml.MappingStartEvent) else []
        )
        if event.anchor:
            self.anchors.pop(event.anchor, None)  # an alias inside its own anchor is refused
        self.stack.append(_Frame(made, path, event.anchor, mark))

    def _close(self) -> None:
        frame = self.stack.pop()
        if isinstance(frame.made, dict):
            for source in frame.merges:
                self._merge(frame.made, source)
        if frame.anchor:
            self.anchors[frame.anchor] = (frame.made, frame.size, None)
        self._put(frame.made, frame.size, frame.start, counted=True)

    def _merge(self, made: dict[str, Value], source: dict[str, Value]) -> None:
        for key, value in source.items():
            if key not in made:
                made[key] = value
                self._spell(made, key, self.spellings.get((id(source), key)))

    def _spell(
        self, holder: dict[str, Value] | list[Value], key: str | int, spelling: str | None
    ) -> None:
        if spelling is not None:
            self.spellings[id(holder), key] = spelling

    def _put(
        self,
        value: Value,
        size: int,
        mark: Mark,
        spelling: str | None = None,
        *,
        counted: bool = False,
    ) -> None:
        """Give a finished value to the frame that waits for it, or make it the document."""
        if not counted:
            self._count(size, mark)
        if not self.stack:
            self.root = value
            return
        frame = self.stack[-1]
        frame.size += size
        if isinstance(frame.made, list):
            self._spell(frame.made, len(frame.made), spelling)
            frame.made.append(value)
            return
        key, frame.key = frame.key, None
        if key == "<<":
            frame.merges = yaml_scalars.merge_sources(value, mark.line)
        elif key is not None:
            self._spell(frame.made, key, spelling)
            frame.made[key] = value

    def _alias(self, anchor: str, mark: Mark) -> tuple[Value, int, str | None]:
        self.aliases += 1
        if self.aliases > self.limits.aliases:
            raise YamlLimit(say("yaml.aliases", most=self.limits.aliases), mark.line, mark.column)
        if anchor not in self.anchors:
            raise YamlError(
                say("yaml.no_anchor", name=anchor[:60]),
                mark.line,
                mark.column,
            )
        return self.anchors[anchor]

    def _count(self, nodes: int, mark: Mark) -> None:
        self.nodes += nodes
        if self.nodes > self.limits.nodes:
            raise YamlLimit(say("yaml.values", most=self.limits.nodes), mark.line, mark.column)

    def _next_path(self, frame: _Frame | None) -> Path:
        if frame is None:
            return ()
        if isinstance(frame.made, list):
            return (*frame.path, len(frame.made))
        return (*frame.path, frame.key or "")


def _mark(event: yaml.Event) -> Mark:
    start = event.start_mark
    return Mark(start.line + 1, start.column + 1) if start else Mark(1, 1)
