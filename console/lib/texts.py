"""Sentences for people as code and parameters; the words are put to them at the edge.

The domain raises, returns and stores a `Text`; which words a code has, in the language of who reads
it, stands in `console.words` (one table per kind), which registers its tables when the console app
is ready. Pages, API and commands say the same `Text` by `said`. A leaf: knows no sentence itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class Template(Protocol):
    """A string with `{name}` fields; it may be translated lazily."""

    def format_map(self, params: Any, /) -> str: ...


Sentence = Template | Callable[[Mapping[str, Any]], str]
"""A template, or a function of the parameters where words depend on them (plurals)."""

_MARK = "text"
_KEPT = f'{{"{_MARK}"'  # how a text begins that stands in a column of sentences
_sentences: dict[str, Sentence] = {}


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be said: a code of the tables and its parameters.

    Parameters are strings, numbers, other texts, or sequences of these (said with commas between).
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return said(self)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON, to be kept in a row and read by `from_json`."""
        return {_MARK: self.code, **{name: _plain(value) for name, value in self.params.items()}}


def text(code: str, **params: Any) -> Text:
    """Return the text of a code of the tables in `console.words`."""
    return Text(code, params)


class SaidError(ValueError):
    """Base of errors that are worded at the edge: raised with a code and its parameters."""

    def __init__(self, code: str, **params: Any) -> None:
        self.says = Text(code, params)
        super().__init__(self.says)

    def __str__(self) -> str:
        return said(self.says)


def from_json(kept: Any) -> Any:
    """Return what `to_json` wrote, texts within texts too; anything else comes back as it is."""
    if isinstance(kept, Mapping) and _MARK in kept:
        params = {name: from_json(value) for name, value in kept.items() if name != _MARK}
        return Text(str(kept[_MARK]), params)
    if isinstance(kept, list):
        return [from_json(value) for value in kept]
    return kept


def also(whats: Iterable[Text | str]) -> Text | str:
    """Return several as one, said with semicolons between; "" for none. What is empty is left out."""
    return _chained(lambda one, other: text("value.also", one=one, other=other), whats)


def in_line(whats: Iterable[Text | str]) -> Text | str:
    """Return whole sentences as one text, said one after another; "" for none."""
    return _chained(lambda one, other: text("value.then", one=one, other=other), whats)


def _chained(
    join: Callable[[Text | str, Text | str], Text], whats: Iterable[Text | str]
) -> Text | str:
    found: Text | str = ""
    for what in whats:
        if what:
            found = join(found, what) if found else what
    return found


def to_json(what: Text | str) -> Any:
    """Return a text as plain JSON, and a string as it is: what `from_json` reads."""
    return what.to_json() if isinstance(what, Text) else what


def to_column(what: Text | str) -> str:
    """Return what a column of sentences keeps: a text as its JSON, words of somebody as they are."""
    return json.dumps(what.to_json()) if isinstance(what, Text) else what


def from_column(kept: str) -> Text | str:
    """Return what `to_column` wrote. Anything else, such as words of people, is a string as it is."""
    if not kept.startswith(_KEPT):
        return kept
    try:
        what = from_json(json.loads(kept))
    except (ValueError, RecursionError):
        return kept
    return what if isinstance(what, Text) and what.code in _sentences else kept


def spoken(kept: Any) -> Any:
    """Return plain JSON in which each kept text is said: what answers and pages show of a row."""
    if isinstance(kept, Text):
        return said(kept)
    if isinstance(kept, Mapping):
        if isinstance(kept.get(_MARK), str) and kept[_MARK] in _sentences:
            return said(from_json(kept))
        return {name: spoken(value) for name, value in kept.items()}
    if isinstance(kept, list | tuple):
        return [spoken(value) for value in kept]
    return kept


def register(table: Mapping[str, Sentence]) -> None:
    """Add the sentences of one kind. Raises ValueError for a code that has one already."""
    twice = sorted(table.keys() & _sentences.keys())
    if twice:
        raise ValueError(f"these texts have a sentence already: {', '.join(twice)}")
    _sentences.update(table)


def registered() -> Mapping[str, Sentence]:
    """Return all sentences by code (for tests and tools)."""
    return dict(_sentences)


def said(what: Text | str) -> str:
    """Say a text in the language that is active now; a string is said as it is.

    A code without a sentence, or with parameters that do not fit it, is shown with its parameters:
    nothing is ever left unsaid.
    """
    if isinstance(what, str):
        return what
    params = {name: _shown(value) for name, value in what.params.items()}
    sentence = _sentences.get(what.code)
    if sentence is not None:
        try:
            return sentence(params) if callable(sentence) else sentence.format_map(params)
        except (LookupError, TypeError, ValueError):  # kept by another version, or forged
            pass
    more = ", ".join(f"{name}={value}" for name, value in params.items())
    return f"{what.code}: {more}" if more else what.code


def _shown(value: Any) -> Any:
    if isinstance(value, Text):
        return said(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(str(_shown(one)) for one in value)
    return "" if value is None else value


def _plain(value: Any) -> Any:
    if isinstance(value, Text):
        return value.to_json()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(one) for one in value]
    return value
