"""Reading request bodies: JSON whatever its content type, and raw bytes (configs).

Nothing here trusts a length header: at most the limit plus one byte is read (security.md 8).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from rest_framework.parsers import BaseParser

from console.lib.problems import FieldError, Invalid, TooLarge
from console.lib.texts import Text
from console.lib.texts import text as say
from console.lib.yaml import DEFAULT_LIMITS

JSON_LIMIT_BYTES = 1024 * 1024
_MAX_DEPTH = 64


class LenientJSONParser(BaseParser):
    """JSON, also when the client forgot to say so (`curl -d` says it is a form).

    Refused with Invalid: what is not JSON, NaN and Infinity, a key given twice, text that a
    database cannot keep (NUL, lone surrogates), nesting deeper than 64.
    """

    media_type = "*/*"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return loads(_read(stream, JSON_LIMIT_BYTES, say("api.a_json_body")), media_type or "")


class RawParser(BaseParser):
    """The exact bytes of the body, up to the size of a config."""

    media_type = "*/*"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        if (media_type or "").startswith("multipart/"):
            raise Invalid(
                "api.not_a_form",
                code="not_a_form",
            )
        return _read(stream, DEFAULT_LIMITS.size_bytes, say("api.a_config"))


def _read(stream: Any, limit_bytes: int, what: Text) -> bytes:
    body: bytes = stream.read(limit_bytes + 1)
    if len(body) > limit_bytes:
        raise TooLarge("api.too_many_bytes", what=what, most=limit_bytes)
    return body


def loads(body: bytes, media_type: str = "") -> Any:
    """Return the value of a JSON text. Raises Invalid with the place of the mistake."""
    if not body.strip():
        return {}
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise Invalid("api.body_not_utf8", at=error.start) from error
    except RecursionError as error:
        raise Invalid("api.body_too_deep", most=_MAX_DEPTH) from error
    except ValueError as error:
        raise _not_json(body, media_type, error) from error
    _check_text(value)
    return value


def _not_json(body: bytes, media_type: str, error: ValueError) -> Invalid:
    hint: Text | str = ""
    if media_type.startswith("application/x-www-form-urlencoded") and b"=" in body[:200]:
        hint = say("api.looks_like_form")
    if isinstance(error, json.JSONDecodeError):
        place = say("api.place", line=error.lineno, column=error.colno)
        return Invalid("api.not_json", code="not_json", what=error.msg, place=place, hint=hint)
    return Invalid("api.long_number", code="not_json")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Invalid("api.a_key_twice", errors=[FieldError(twice[:100], say("api.key_twice"))])
    return made


def _finite(text: str) -> float:
    """Refuse what overflows: 1e400 would be Infinity, which no JSON column keeps."""
    number = float(text)
    if math.isinf(number):
        raise Invalid("api.large_number", read=text[:40], code="not_json")
    return number


def _no_constant(name: str) -> None:
    raise Invalid("api.no_json_number", read=name, code="not_json")


def _check_text(value: Any) -> None:
    """Walk the value with a stack of our own: no text with NUL or lone surrogates, not too deep."""
    waiting: list[tuple[Any, str, int]] = [(value, "", 0)]
    while waiting:
        found, path, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise Invalid("api.body_too_deep", most=_MAX_DEPTH)
        if isinstance(found, str):
            _check_one(found, path)
        elif isinstance(found, list):
            waiting.extend((item, f"{path}[{i}]", depth + 1) for i, item in enumerate(found))
        elif isinstance(found, dict):
            for key, item in found.items():
                _check_one(key, path)
                waiting.append((item, f"{path}.{key}" if path else key, depth + 1))


def _check_one(text: str, path: str) -> None:
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        shown = path.encode("ascii", "backslashreplace").decode()[:200]
        raise Invalid(
            "api.unkept_text",
            errors=[FieldError(shown, say("api.nul_or_surrogate"))],
        )
