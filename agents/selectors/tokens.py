"""Splitting selector text into tokens, and quoting what would not stay one token. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from agents.selectors.errors import MAX_TEXT, SelectorError
from agents.selectors.values import is_storable
from console.lib.texts import Text
from console.lib.texts import text as say

RESERVED = frozenset({"in", "notin", "or", "and", "has", "not"})

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<op>>=|<=|==|!=|!~|=~|[=><~!])
    |(?P<mark>[,()])
    |(?P<quoted>"(?:[^"\\]|\\.)*")
    |(?P<word>[^\s,()=!<>~"'&|]+)""",
    re.VERBOSE,
)
_PLAIN = re.compile(r"""[^\s,()=!<>~"'&|]+""")


@dataclass(frozen=True, slots=True)
class Token:
    """One piece: `kind` is op, mark, word, quoted or end; `at` its position from 0."""

    kind: str
    text: str
    at: int

    def is_word(self, word: str) -> bool:
        """Return whether this is the unquoted word."""
        return self.kind == "word" and self.text == word

    def is_mark(self, mark: str) -> bool:
        """Return whether this is the punctuation mark."""
        return self.kind == "mark" and self.text == mark


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text, ended by one of kind `end`. Raises SelectorError."""
    if len(text) > MAX_TEXT:
        raise SelectorError(
            say("selector.too_long", size=len(text), most=MAX_TEXT),
            text=text[:80],
            position=0,
        )
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise SelectorError(_why_not(text, at), text=text, position=at)
        kind = str(match.lastgroup)
        if kind == "op" and match[0] == "=~":
            raise SelectorError(say("selector.no_regex"), text=text, position=at)
        if kind == "quoted":
            found.append(Token(kind, _unquoted(match[0], text, at), at))
        elif kind != "space":
            found.append(Token(kind, match[0], at))
        if found and not is_storable(found[-1].text):
            raise SelectorError(say("selector.no_text"), text=text, position=at)
        at = match.end()
    return [*found, Token("end", "", len(text))]


def quote(text: str, *, is_key: bool = False) -> str:
    """Return the text so that it reads back as one token with the same value."""
    if _PLAIN.fullmatch(text) and not (is_key and (text in RESERVED or text[0] in "@*")):
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """Return the text in quotes."""
    return json.dumps(text, ensure_ascii=False)


def _unquoted(literal: str, text: str, at: int) -> str:
    try:
        return str(json.loads(literal, strict=False))
    except ValueError as error:
        raise SelectorError(say("selector.bad_escape"), text=text, position=at) from error


def _why_not(text: str, at: int) -> Text:
    if text[at] == '"':
        return say("selector.quote_open")
    if text[at] == "'":
        return say("selector.single_quote")
    return say("selector.no_operator")
