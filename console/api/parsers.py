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
        return loads(_read(stream, JSON_LIMIT_BYTES, "A JSON body"), media_type or "")


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
                "Send the file itself, not a form: curl --data-binary @FILE (not -F).",
                code="not_a_form",
            )
        return _read(stream, DEFAULT_LIMITS.size_bytes, "A config")


def _read(stream: Any, limit_bytes: int, what: str) -> bytes:
    body: bytes = stream.read(limit_bytes + 1)
    if len(body) > limit_bytes:
        raise TooLarge(f"{what} may have at most {limit_bytes:,} bytes.")
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
        raise Invalid(f"The body is not UTF-8 text (byte {error.start}).") from error
    except RecursionError as error:
        raise Invalid(f"The body is nested more than {_MAX_DEPTH} deep.") from error
    except ValueError as error:
        raise _not_json(body, media_type, error) from error
    _check_text(value)
    return value


def _not_json(body: bytes, media_type: str, error: ValueError) -> Invalid:
    hint = ""
    if media_type.startswith("application/x-www-form-urlencoded") and b"=" in body[:200]:
        hint = ' It looks like a form; send a JSON object such as {"reason": "..."}.'
    if isinstance(error, json.JSONDecodeError):
        place = f"line {error.lineno}, column {error.colno}"
        return Invalid(f"The body is not JSON: {error.msg} ({place}).{hint}", code="not_json")
    return Invalid("The body holds a number that is too long.", code="not_json")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Invalid(
            "A key is given twice.", errors=[FieldError(twice[:100], "This key is given twice.")]
        )
    return made


def _finite(text: str) -> float:
    """Refuse what overflows: 1e400 would be Infinity, which no JSON column keeps."""
    number = float(text)
    if math.isinf(number):
        raise Invalid(f"{text[:40]} is too large a number.", code="not_json")
    return number


def _no_constant(name: str) -> None:
    raise Invalid(f"{name} is not a JSON number.", code="not_json")


def _check_text(value: Any) -> None:
    """Walk the value with a stack of our own: no text with NUL or lone surrogates, not too deep."""
    waiting: list[tuple[Any, str, int]] = [(value, "", 0)]
    while waiting:
        found, path, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise Invalid(f"The body is nested more than {_MAX_DEPTH} deep.")
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
            "The body holds text that cannot be kept.",
            errors=[FieldError(shown, "NUL characters and lone surrogates are not text.")],
        )
