"""Files of configs, plans and selectors, split into what each document asks for. Pure.

The top-level key of a document says its kind: `selectors`, `phases` (a plan), `config` (name, body),
or the sections of a collector: then the whole file is a config named after the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from agents.selectors.errors import SelectorError
from agents.selectors.grammar import parse_any, to_text
from agents.selectors.yaml_form import KEYS as SELECTOR_KEYS
from console.lib.fields import Fields, documents_of, in_document, raise_if_any
from console.lib.problems import FieldError, Invalid
from console.lib.texts import text as say
from console.lib.yaml import DEFAULT_LIMITS, Document
from rollouts.configs.collector import SECTIONS
from rollouts.configs.parse import lost_line_breaks, parse_config
from rollouts.plans.parse import read_plan


class DocumentKind(StrEnum):
    """What a document can be, in the order it is applied."""

    SELECTOR = "selector"
    PLAN = "plan"
    CONFIG = "config"


@dataclass(frozen=True, slots=True)
class File:
    """One file as given. `name` is shown in errors; `stem` names what has no name of its own."""

    name: str
    body: bytes
    stem: str = ""

    @classmethod
    def at(cls, path: str, body: bytes) -> File:
        """Return the file of a path."""
        return cls(name=path, body=body, stem=PurePath(path).name.split(".", 1)[0])


@dataclass(frozen=True, slots=True)
class DocumentItem:
    """One thing a document asks for. `body` is a config's bytes, a plan's text, a selector's text."""

    kind: DocumentKind
    name: str
    body: bytes
    file: str
    message: str = ""

    @property
    def text(self) -> str:
        """Return the body as text; its bytes were read as UTF-8 before."""
        return self.body.decode("utf-8-sig")


def read_files(files: Sequence[File]) -> list[DocumentItem]:
    """Return everything the files ask for, selectors first. Raises Invalid naming every mistake."""
    errors: list[FieldError] = []
    found: list[DocumentItem] = []
    for file in files:
        try:
            found += _read_file(file, errors)
        except Invalid as problem:
            errors += problem.errors
    seen: dict[tuple[DocumentKind, str], DocumentItem] = {}
    for wanted in found:
        first = seen.setdefault((wanted.kind, wanted.name), wanted)
        if first is not wanted and wanted.name:
            says = say("document.twice", kind=wanted.kind.value, name=wanted.name)
            if first.file != wanted.file:
                says = say(
                    "document.in_two_files",
                    kind=wanted.kind.value,
                    name=wanted.name,
                    first=first.file,
                )
            errors.append(FieldError(wanted.file, says))
    raise_if_any(errors)
    order = list(DocumentKind)
    return sorted(found, key=lambda wanted: order.index(wanted.kind))


def _read_file(file: File, errors: list[FieldError]) -> Iterator[DocumentItem]:
    try:
        every = documents_of(file.body, file.name)
    except Invalid as problem:
        if lost_line_breaks(file.body):
            raise Invalid.at(
                file.name, say("config.one_line"), code="line_breaks_stripped"
            ) from problem
        raise
    texts = _slices(file, every)
    pairs = [(d, text) for d, text in zip(every, texts, strict=True) if d.data is not None]
    if not pairs:
        # Names what is wrong with an empty file, or one that lost its line breaks.
        parse_config(file.body, file=file.name)
    if len(pairs) == 1 and _is_collector(pairs[0][0]):
        yield _whole_file(file, errors)
        return
    for document, text in pairs:
        fields = Fields(document.data, in_document(document, file.name), errors)
        if fields.has("selectors"):
            yield from _selectors(fields, file)
        elif fields.has("phases"):
            yield _plan(fields, file, text)
        elif fields.has("config"):
            yield from _config(fields, file)
        elif _is_collector(document):
            fields.wrong(None, say("document.collector_not_alone"))
        elif fields.is_mapping:
            fields.wrong(None, say("document.unknown_kind"))


def _is_collector(document: Document) -> bool:
    return isinstance(document.data, dict) and any(key in document.data for key in SECTIONS)


def _whole_file(file: File, errors: list[FieldError]) -> DocumentItem:
    if not file.stem:
        errors.append(FieldError(file.name, say("document.config_no_name")))
    parse_config(file.body, file=file.name)
    return DocumentItem(DocumentKind.CONFIG, file.stem, file.body, file.name)


def _selectors(fields: Fields, file: File) -> Iterator[DocumentItem]:
    fields.known("selectors")
    for item in fields.children("selectors"):
        item.known("name", "selector", *SELECTOR_KEYS)
        item.required("name")
        name = item.text("name", max_length=100)
        written = item.written()
        data = {key: value for key, value in written.items() if key not in ("name", "selector")}
        if item.has("selector") and data:
            item.wrong("selector", say("document.selector_twice"))
        try:
            text = to_text(parse_any(written["selector"] if item.has("selector") else data))
        except SelectorError as error:
            inner = ("selector", *error.path) if item.has("selector") else error.path
            where = item.where((*item.path, *inner), False)
            item.errors.append(FieldError(where, error.says))
            continue
        yield DocumentItem(DocumentKind.SELECTOR, name, text.encode(), file.name)


def _plan(fields: Fields, file: File, text: str) -> DocumentItem:
    plan = read_plan(fields, file.stem)
    if not plan.name:
        fields.wrong(None, say("document.plan_no_name"))
    return DocumentItem(DocumentKind.PLAN, plan.name, text.encode(), file.name)


def _config(fields: Fields, file: File) -> Iterator[DocumentItem]:
    fields.known("config")
    config = fields.child("config")
    config.known("name", "message", "body")
    config.required("name")
    config.required("body")
    name = config.text("name", max_length=100)
    body = config.text("body", max_length=DEFAULT_LIMITS.size_bytes).encode()
    if config.has("body"):
        try:
            parse_config(body, file=str(say("document.body_of", file=file.name, name=name)))
        except Invalid as problem:
            where = config.where((*config.path, "body"), False)
            config.errors.append(FieldError(where, say("document.in_the_body", what=problem.says)))
    yield DocumentItem(
        DocumentKind.CONFIG, name, body, file.name, config.text("message", max_length=2_000)
    )


def _slices(file: File, documents: Sequence[Document]) -> list[str]:
    """Return the text of each document, without the line that begins it."""
    text = file.body.decode("utf-8-sig")
    if len(documents) <= 1:
        return [text] * len(documents)
    lines = text.splitlines(keepends=True)
    starts = [0, *(document.start.line - 1 for document in documents[1:])]
    ends = [*starts[1:], len(lines)]
    found: list[str] = []
    for start, end in zip(starts, ends, strict=True):
        part = "".join(lines[start:end])
        found.append(part.removeprefix("---").lstrip("\r\n"))
    return found
