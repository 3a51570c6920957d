"""Which bytes can be a config at all. What is refused here is never stored, because an agent given
a text that does not parse is lost, and one given an empty map stops its collector. Pure."""

from __future__ import annotations

import re

from console.lib.problems import FieldError, Invalid, TooLarge
from console.lib.texts import text
from console.lib.yaml import DEFAULT_LIMITS, Document, load
from console.lib.yaml_scalars import YamlError

_KEY = re.compile(rb"[\w./\"'-]+:(?:\s|$)")


def parse_config(body: bytes, *, file: str = "config.yaml") -> Document:
    """Read a config body: one YAML mapping with something in it. Raises Invalid or TooLarge."""
    if len(body) > DEFAULT_LIMITS.size_bytes:
        raise TooLarge("config.too_large", size=len(body), most=DEFAULT_LIMITS.size_bytes)
    try:
        document = load(body)
    except YamlError as error:
        if lost_line_breaks(body):
            raise _one_line(file) from error
        place = f"{file}:{error.line}" if error.line else file
        raise Invalid(
            error.at(file), code=error.code, errors=[FieldError(place, error.says)]
        ) from error
    if isinstance(document.data, dict) and document.data:
        return document
    if lost_line_breaks(body):
        raise _one_line(file)
    if not document.data:
        raise Invalid.at(file, text("config.empty"), code="empty")
    place = f"{file}:{document.start.line}"
    raise Invalid.at(place, text("config.not_a_mapping"), code="not_a_mapping")


def lost_line_breaks(body: bytes) -> bool:
    """One line with several keys that is not a mapping: what curl -d makes of a YAML file."""
    line = body.strip()
    return b"\n" not in line and b"\r" not in line and len(_KEY.findall(line)) >= 2


def _one_line(place: str) -> Invalid:
    return Invalid.at(place, text("config.one_line"), code="line_breaks_stripped")
