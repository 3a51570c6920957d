"""Fields of bodies, and the base class that reads them."""

from __future__ import annotations

import difflib
import re
from datetime import datetime, time
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

REASON_LENGTH = 500


class Body(serializers.Serializer[Any]):
    """Reads a JSON object. A key it does not know is refused: a typo must not be a default."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = [str(key) for key in data if key not in self.fields]
            if unknown:
                raise serializers.ValidationError({key: [self._unknown(key)] for key in unknown})
        return super().to_internal_value(data)

    def _unknown(self, key: str) -> str:
        close = difflib.get_close_matches(key, list(self.fields), n=1)
        if close:
            return f'unknown key; did you mean "{close[0]}"?'
        return f"unknown key; known are {', '.join(self.fields)}"


class Text(serializers.CharField):
    """Text as it was sent; only text, no number that happens to print."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("trim_whitespace", False)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("must be text")
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A time as it was sent: one without an offset is local to a zone that the body names, and
    what it means is for the act to say."""

    def enforce_timezone(self, value: datetime) -> datetime:
        return value


class Clock(serializers.TimeField):
    """A time of day, local to a zone that the body names; an offset has no place in it."""

    def to_internal_value(self, data: Any) -> time:
        if isinstance(data, str) and re.search(r"[zZ+]|:.*-", data):
            raise serializers.ValidationError("is local to time_zone; write 18:00, no offset")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole JSON number; neither text nor true."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("min_value", 1)
        options.setdefault("max_value", 2**31 - 1)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError("must be a whole number")
        return super().to_internal_value(data)


class Reason(Text):
    """Why, in the words of who asks; stored in the audit log."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("required", False)
        options.setdefault("allow_blank", True)
        options.setdefault("trim_whitespace", True)
        super().__init__(max_length=REASON_LENGTH, **options)


class Hash(serializers.CharField):
    """Lower-case hex SHA-256, or "" for none."""


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "object"}]})
class SelectorField(serializers.JSONField):
    """A selector in text form, or as an object in YAML form (spec section 3)."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str | dict):
            raise serializers.ValidationError(
                'must be selector text such as "env=prod", or an object'
            )
        return data
