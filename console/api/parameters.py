"""Parameters of a query string: each is described for the OpenAPI document and read by one object.

`of(request)` raises Invalid, naming the parameter, what was sent and what would be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from console.lib.problems import FieldError, Invalid
from console.lib.texts import text as say

_FLAGS = {"false": False, "0": False, "true": True, "1": True}


class Parameter(OpenApiParameter):
    """What all kinds share; `also` is a second name of it. Each kind has `of(request)`."""

    def __init__(
        self,
        name: str,
        description: str = "",
        *,
        kind: Any = str,
        also: str = "",
        **options: Any,
    ) -> None:
        super().__init__(name, kind, description=description, **options)
        self._also = also

    def text(self, request: Request) -> str:
        """Return what was sent, "" for nothing. Raises Invalid for text that no database keeps."""
        sent = request.query_params
        value: str = sent.get(self.name, "")
        if self._also and not value:
            value = sent.get(self._also, "")
        if "\x00" in value:
            raise self.wrong("api.nul", "api.holds_nul")
        return value

    def wrong(self, code: str, hint: str, **params: Any) -> Invalid:
        """Return the problem with what was sent; `hint` is the code of what would be right."""
        wrong = FieldError(self.name, say(hint, **params))
        return Invalid(code, errors=[wrong], **params)


class Text(Parameter):
    """Any text; "" when not given."""

    def of(self, request: Request) -> str:
        """Return what was sent."""
        return self.text(request)


class Word(Parameter):
    """One of few words; the default (none: "") when not given."""

    def __init__(
        self, name: str, words: Sequence[str], description: str = "", default: str = ""
    ) -> None:
        super().__init__(name, description, enum=list(words))
        self._words = words
        self._unsaid = default

    def of(self, request: Request) -> str:
        """Return the word."""
        word = self.text(request)
        if word and word not in self._words:
            raise self.wrong(
                "api.unknown_word",
                "api.one_of",
                name=self.name,
                read=word[:40],
                known=", ".join(self._words),
            )
        return word or self._unsaid


class Words(Parameter):
    """Some of few words, joined by commas; none of them when not given."""

    def __init__(self, name: str, words: Sequence[str], description: str = "") -> None:
        super().__init__(name, description)
        self._words = words

    def of(self, request: Request) -> list[str]:
        """Return the words that were sent."""
        text = self.text(request)
        words = text.split(",") if text else []
        for word in words:
            if word not in self._words:
                raise self.wrong(
                    "api.unknown_words",
                    "api.some_of",
                    name=self.name,
                    read=word[:40],
                    known=", ".join(self._words),
                )
        return words


class Number(Parameter):
    """A whole number from `least` to `most`; `unsaid` when not given."""

    def __init__(
        self,
        name: str,
        description: str = "",
        *,
        unsaid: int,
        least: int = 0,
        most: int = 2**63 - 1,
        kind: Any = int,
    ) -> None:
        super().__init__(name, description, kind=kind)
        self._number = unsaid
        self._least, self._most = least, most

    def of(self, request: Request) -> int:
        """Return what was sent."""
        text = self.text(request)
        if not text:
            return self._number
        is_number = text.isascii() and text.isdecimal() and len(text) <= 19
        if not is_number or not self._least <= int(text) <= self._most:
            raise self.wrong(
                "api.no_whole_number",
                "api.must_be_whole",
                name=self.name,
                read=text[:40],
                least=self._least,
                most=self._most,
            )
        return int(text)


class Flag(Parameter):
    """True or false; false when not given."""

    def __init__(self, name: str, description: str = "") -> None:
        super().__init__(name, description, kind=bool)

    def of(self, request: Request) -> bool:
        """Tell whether it was sent as true."""
        text = self.text(request).lower()
        if text and text not in _FLAGS:
            raise self.wrong("api.no_flag", "api.must_be_flag", name=self.name)
        return _FLAGS.get(text, False)


class Instant(Parameter):
    """A time with an offset (ISO 8601); None when not given."""

    def of(self, request: Request) -> datetime | None:
        """Return what was sent."""
        text = self.text(request)
        if not text:
            return None
        # A "+" that was not escaped in the address arrives as a space.
        at = _parsed(text.replace(" ", "+") if "T" in text else text)
        if at is None:
            raise self.wrong("api.no_time", "api.must_be_time", name=self.name, read=text[:40])
        if timezone.is_naive(at):
            raise self.wrong(
                "api.no_offset", "api.must_have_offset", name=self.name, read=text[:40]
            )
        return at


def _parsed(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None
