"""Where a text of many lines is wrong, so that a page can lead to the line. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from console.lib.problems import Problem

_AT_LINE = re.compile(r":(\d{1,7})\Z")


@dataclass(frozen=True, slots=True)
class WrongPlace:
    """One wrong place; `line` counts from 1, 0 where it is no line of the text."""

    line: int
    message: str


def wrong_places(problem: Problem | None) -> list[WrongPlace]:
    """Return the wrong places of a text whose errors say `file:line`, each once, in their order; those
    of other fields have no line."""
    if problem is None:
        return []
    found = [WrongPlace(_line(error.path), error.message) for error in problem.errors]
    return list(dict.fromkeys(place for place in found if place.message))


def _line(path: str) -> int:
    named = _AT_LINE.search(path)
    return int(named[1]) if named else 0
