"""What YAML 1.2 core says one scalar means, and how errors of YAML are worded. Used by `yaml`."""

from __future__ import annotations

import re
from typing import TypeAlias

import yaml

from console.lib.texts import Text, said
from console.lib.texts import text as say

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"
_MAX_DIGITS = 400


class YamlError(ValueError):
    """A text that is not the YAML we read. `line` and `column` count from 1; 0 when unknown."""

    def __init__(
        self, says: Text, line: int = 0, column: int = 0, *, code: str = "yaml_syntax"
    ) -> None:
        super().__init__(says)
        self.says = says
        self.line = line
        self.column = column
        self.code = code

    @property
    def message(self) -> str:
        """The sentence in the language of who reads it."""
        return said(self.says)

    def __str__(self) -> str:
        return said(say("yaml.on_line", line=self.line, what=self.says) if self.line else self.says)

    def at(self, name: str) -> Text:
        """Return the error as `plan.yaml:14: ...`."""
        place = f"{name}:{self.line}" if self.line else name
        return say("field.only", path=place, what=self.says)


class YamlLimit(YamlError):
    """A text that would cost too much to read: too large, too deep, too many nodes or aliases."""

    def __init__(self, says: Text, line: int = 0, column: int = 0) -> None:
        super().__init__(says, line, column, code="yaml_limit")


def resolve(event: yaml.ScalarEvent, line: int, column: int) -> Value:
    """Return the value of a scalar. Raises YamlError for tags and numbers we do not read."""
    if event.tag and event.tag != "!":
        return _tagged(event.tag, event.value, line, column)
    if event.tag == "!" or not event.implicit[0]:
        return event.value
    return plain(event.value, line, column)


def plain(text: str, line: int = 0, column: int = 0) -> Value:
    """Read an unquoted scalar by the core schema."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if text[0] not in "+-.0123456789":
        return text
    if len(text) > _MAX_DIGITS and (_DECIMAL.fullmatch(text) or _FLOAT.fullmatch(text)):
        raise YamlError(say("yaml.long_number"), line, column)
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.lower().replace(".", "", 1))
    return text


def own_spelling(event: yaml.ScalarEvent, value: Value) -> str | None:
    """Return how a number or a boolean was written; None for how we would write it, for text and for
    nothing. A fraction has many ways, so what stands there counts."""
    if value is None or isinstance(value, str | dict | list):
        return None
    if isinstance(value, bool):
        ours = "true" if value else "false"
    else:
        ours = str(value) if isinstance(value, int) else ""
    return event.value if event.value != ours else None


def check_collection_tag(event: yaml.CollectionStartEvent, line: int, column: int) -> None:
    """Refuse tags on mappings and lists other than the ordinary ones."""
    if event.tag and event.tag not in ("!", f"{_TAG}map", f"{_TAG}seq"):
        raise _unknown_tag(event.tag, line, column)


def merge_sources(value: Value, line: int) -> list[dict[str, Value]]:
    """Return the mappings that `<<: *base` or `<<: [*a, *b]` takes keys from, first wins."""
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise YamlError(say("yaml.bad_merge"), line)
    return [source for source in sources if isinstance(source, dict)]


def syntax_error(error: yaml.MarkedYAMLError, text: str) -> YamlError:
    """Word a parser error, with a hint for what people get wrong most."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    column = mark.column + 1 if mark else 0
    message = str(error.problem or error.context or "")
    if "maximum nesting depth" in message:  # how libyaml says it
        return YamlLimit(say("yaml.too_deep"), line, column)
    if error.context and error.problem:
        message = f"{error.problem} ({error.context})"
    # What libyaml says stays in its own words.
    says = Text(message) if message else say("yaml.none")
    lines = text.rstrip("\n").split("\n")
    line = min(line, len(lines))  # the end of the text counts as its last line
    if line and "\t" in lines[line - 1][: column + 1]:
        says = say("yaml.tab", what=says)
    return YamlError(says, line, column)


def _tagged(tag: str, text: str, line: int, column: int) -> Value:
    kind = tag.removeprefix(_TAG)
    if kind == "str":
        return text
    value = plain(text, line, column)
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    expected = {"int": int, "float": float, "bool": bool, "null": type(None)}.get(kind)
    if expected is None:
        raise _unknown_tag(tag, line, column)
    if type(value) is not expected:
        raise YamlError(say("yaml.not_of_tag", read=text[:60], kind=kind), line, column)
    return value


def _unknown_tag(tag: str, line: int, column: int) -> YamlError:
    shown = tag.replace(_TAG, "!!")[:60]
    return YamlError(say("yaml.unknown_tag", tag=shown), line, column, code="yaml_tag")
