"""Which bytes can be a config at all. What is refused here is never stored, because an agent given
a text that does not parse is lost, and one given an empty map stops its collector. Pure."""

from __future__ import annotations

import re

from console.lib.problems import FieldError, Invalid, TooLarge
from console.lib.yaml import DEFAULT_LIMITS, Document, load
from console.lib.yaml_scalars import YamlError

ONE_LINE = (
    "The body came as one line: its line breaks were stripped, as curl -d @file does. "
    "Send the file with curl --data-binary @file."
)
_KEY = re.compile(rb"[\w./\"'-]+:(?:\s|$)")


def parse_config(body: bytes, *, file: str = "config.yaml") -> Document:
    """Read a config body: one YAML mapping with something in it. Raises Invalid or TooLarge."""
    if len(body) > DEFAULT_LIMITS.size_bytes:
        raise TooLarge(
            f"The config has {len(body):,} bytes; at most {DEFAULT_LIMITS.size_bytes:,} are taken."
        )
    try:
        document = load(body)
    except YamlError as error:
        if lost_line_breaks(body):
            raise _invalid(ONE_LINE, file, code="line_breaks_stripped") from error
        place = f"{file}:{error.line}" if error.line else file
        raise Invalid(
            error.at(file), code=error.code, errors=[FieldError(place, error.message)]
        ) from error
    if isinstance(document.data, dict) and document.data:
        return document
    if lost_line_breaks(body):
        raise _invalid(ONE_LINE, file, code="line_breaks_stripped")
    if not document.data:
        raise _invalid(
            "The config is empty; an empty config would stop a collector.", file, code="empty"
        )
    raise _invalid(
        "The config is not a mapping of sections such as receivers and service.",
        f"{file}:{document.start.line}",
        code="not_a_mapping",
    )


def lost_line_breaks(body: bytes) -> bool:
    """One line with several keys that is not a mapping: what curl -d makes of a YAML file."""
    line = body.strip()
    return b"\n" not in line and b"\r" not in line and len(_KEY.findall(line)) >= 2


def _invalid(message: str, place: str, *, code: str) -> Invalid:
    return Invalid(message, code=code, errors=[FieldError(place, message)])
