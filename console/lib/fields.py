"""Reading the fields of a file people write: each wrong one is collected, none is guessed.

A `Fields` stands on one mapping of a document and shares one list of errors with its children,
so that a person sees every mistake at once, with file and line (spec section 3). Pure.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from console.lib.durations import BadValue, parse_duration, parse_share, shown
from console.lib.problems import FieldError, Invalid
from console.lib.texts import Text, text
from console.lib.yaml import Document, Path, load_all
from console.lib.yaml_scalars import YamlError

Choice = TypeVar("Choice", bound=StrEnum)
Read = TypeVar("Read")
Where = Callable[[Path, bool], str]


def documents_of(text: bytes | str, file: str) -> list[Document]:
    """Read the YAML documents of a file. Raises Invalid with file and line."""
    try:
        return load_all(text)
    except YamlError as error:
        place = f"{file}:{error.line}" if error.line else file
        raise Invalid(
            error.at(file), code=error.code, errors=[FieldError(place, error.says)]
        ) from error


@dataclass(frozen=True, slots=True)
class InDocument:
    """Says places as `plan.yaml:14`, and knows how scalars were written."""

    document: Document
    file: str

    def __call__(self, path: Path, is_key: bool) -> str:
        find = self.document.key_mark if is_key else self.document.mark
        return f"{self.file}:{find(*path).line}"


def in_document(document: Document, file: str) -> Where:
    """Say places as `plan.yaml:14`."""
    return InDocument(document, file)


def in_data(path: Path, _is_key: bool) -> str:
    """Say places as `phases[0].weight`, for data that came without lines (JSON)."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "body"


def raise_if_any(errors: Sequence[FieldError]) -> None:
    """Raise Invalid with all errors, in the order of their lines; its detail is the first."""
    if errors:
        errors = sorted(errors, key=_line)
        first, more = errors[0], len(errors) - 1
        code = "field.first_of_more" if more else "field.only"
        raise Invalid(code, errors=errors, path=first.path, what=first.says, count=more)


def _line(error: FieldError) -> int:
    line = error.path.rpartition(":")[2]
    return int(line) if line.isdigit() else 0


class Fields:
    """One mapping and the errors found so far."""

    def __init__(self, data: object, where: Where, errors: list[FieldError], path: Path = ()):
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        self.where = where
        self.errors = errors
        self.path = path
        self.is_mapping = isinstance(data, dict)
        if not self.is_mapping:
            self.wrong(None, text("field.no_mapping", read=shown(data)))

    def wrong(self, key: str | int | None, says: Text | str, *, at_key: bool = False) -> None:
        """Note an error at a key of this mapping, or at the mapping itself."""
        path = self.path if key is None else (*self.path, key)
        self.errors.append(FieldError(self.where(path, at_key), says))

    def known(self, *keys: str) -> None:
        """Refuse every other key, naming the nearest known one."""
        for key in self.data:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, n=1)
                what = text("field.unknown_key", key=key[:60], known=keys)
                if near:
                    what = text("field.mistyped_key", key=key[:60], near=near[0])
                self.wrong(key, what, at_key=True)

    def has(self, key: str) -> bool:
        """Return whether the key is given."""
        return key in self.data

    def read(self, key: str, parse: Callable[[Any], Read], default: Read) -> Read:
        """Return `parse(value)`; the default when not given, or wrong (which is then noted)."""
        if key not in self.data:
            return default
        try:
            return parse(self.data[key])
        except BadValue as bad:
            self.wrong(key, text("field.wrong", key=key, what=bad.says))
            return default

    def written(self) -> dict[str, Any]:
        """Return the mapping with numbers and booleans as the text that stands in the file."""
        if not isinstance(self.where, InDocument):
            return self.data
        written = self.where.document.written(self.data)
        return written if isinstance(written, dict) else {}

    def required(self, key: str) -> bool:
        """Note an error when the key is missing from what is a mapping at all."""
        if key not in self.data and self.is_mapping:
            self.wrong(None, text("field.missing", key=key))
        return key in self.data

    def text(self, key: str, default: str = "", max_length: int = 10_000) -> str:
        """Return a text."""

        def parse(value: object) -> str:
            if not isinstance(value, str):
                raise BadValue("value.no_text", read=shown(value))
            if len(value) > max_length or "\x00" in value:
                raise BadValue("value.text_too_long", read=shown(value), most=max_length)
            return value

        return self.read(key, parse, default)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""

        def parse(value: object) -> bool:
            if not isinstance(value, bool):
                raise BadValue("value.no_flag", read=shown(value))
            return value

        return self.read(key, parse, default)

    def whole(self, key: str, default: int, least: int = 0, most: int = 1_000_000) -> int:
        """Return a whole number within bounds."""

        def parse(value: object) -> int:
            if not isinstance(value, int) or isinstance(value, bool):
                raise BadValue("value.no_whole_number", read=shown(value), like=least or 1)
            if not least <= value <= most:
                raise BadValue("value.out_of_bounds", read=value, least=least, most=most)
            return value

        return self.read(key, parse, default)

    def seconds(self, key: str, default: float, least: float = 0.0) -> float:
        """Return a duration in seconds."""

        def parse(value: object) -> float:
            duration: timedelta = parse_duration(value)
            if duration.total_seconds() < least:
                raise BadValue("value.too_short", read=shown(value), least=f"{least:g}s")
            return duration.total_seconds()

        return self.read(key, parse, default)

    def share(self, key: str, default: float) -> float:
        """Return a share above nothing, as a fraction."""

        def parse(value: object) -> float:
            share = parse_share(value)
            if share <= 0:
                raise BadValue("value.nothing", read=shown(value))
            return share

        return self.read(key, parse, default)

    def choice(self, key: str, kind: type[Choice], default: Choice) -> Choice:
        """Return one of the words of an enum."""
        return self.read(key, lambda value: choose(kind, value), default)

    def child(self, key: str) -> Fields:
        """Return the mapping under a key; an empty one when it is not given."""
        return Fields(self.data.get(key, {}), self.where, self.errors, (*self.path, key))

    def children(self, key: str) -> Iterator[Fields]:
        """Yield each mapping of the list under a key."""
        items = self.data.get(key, [])
        if not isinstance(items, list):
            self.wrong(key, text("field.no_list", key=key, read=shown(items)))
            return
        for number, item in enumerate(items):
            yield Fields(item, self.where, self.errors, (*self.path, key, number))


def choose(kind: type[Choice], value: object) -> Choice:
    """Return the member of an enum that a word names. Raises BadValue listing the words."""
    words = [member.value for member in kind]
    if value not in words:
        *most, last = words
        raise BadValue("value.unknown_word", read=shown(value), most=most, last=last)
    return kind(str(value))
