"""The words of a PromQL expression with their places. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rollouts.promql.build import quoted

_TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|(?P<comment>\#[^\n]*)"""
    r"""|(?P<word>\d[\d.]*[eE][+-]\d+|[a-zA-Z0-9_:.]+)|(?P<sign>=~|!~|!=|==|<=|>=|[^\s])""",
    re.DOTALL,
)
OPENERS = {"(": ")", "{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One word; `start` counts characters from the beginning of the text."""

    text: str
    start: int
    is_word: bool


def tokens_of(text: str) -> list[Lexeme]:
    """Return the words of a text, comments left out."""
    return [
        Lexeme(found.group(), found.start(), found.lastgroup == "word")
        for found in _TOKEN.finditer(text)
        if found.lastgroup != "comment"
    ]


def place_of(text: str, at: int) -> tuple[int, int]:
    """Return line and column of a character, both counted from 1."""
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


def plain(tokens: Sequence[Lexeme]) -> str:
    """Return the words in one line, raw strings in double quotes (the parser reads no others)."""
    return " ".join(
        quoted(token.text[1:-1]) if token.text[0] == "`" and len(token.text) > 1 else token.text
        for token in tokens
    )


def unclosed(tokens: Sequence[Lexeme]) -> list[Lexeme]:
    """Return the brackets that are open at the end, outermost first."""
    found: list[Lexeme] = []
    for token in tokens:
        if token.text in OPENERS:
            found.append(token)
        elif found and token.text == OPENERS[found[-1].text]:
            found.pop()
    return found
