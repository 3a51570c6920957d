"""Durations and shares as people write them (spec section 3): `1h30m`, `10%`.

A bare number is never guessed at: it is refused with the text that would be right.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from console.lib.texts import SaidError, Text, text

UNIT_SECONDS = {
    "w": Decimal(604800),
    "d": Decimal(86400),
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
}
MAX_DURATION = timedelta(days=3650)

_NUMBER = r"\d{1,12}(?:\.\d{1,9})?"
_PART = re.compile(rf"({_NUMBER})\s*(ms|[wdhms])")
_WHOLE = re.compile(rf"(?:{_NUMBER}\s*(?:ms|[wdhms])\s*)+")
_BARE = re.compile(rf"[-+]?{_NUMBER}")
_SHARE = re.compile(rf"({_NUMBER})\s*%")


class BadValue(SaidError):
    """A value that does not say what it should. The text reads on from the name of the field."""


def shown(value: object) -> Text | str:
    """Return the value as the error shows it: text in quotes, numbers bare, cut at 60 characters."""
    if isinstance(value, str):
        cut = value if len(value) <= 60 else value[:57] + "..."
        return f'"{cut}"'
    if value is None:
        return text("value.empty")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return text("value.a_list")
    if isinstance(value, dict):
        return text("value.a_mapping")
    return str(value)[:60]


def parse_duration(value: object) -> timedelta:
    """Read `90s`, `15m`, `1h30m`, `24h`, `7d`, `250ms`. Raises BadValue saying what is right."""
    if isinstance(value, timedelta):
        return value
    written = _text_of(value)
    if written is not None and _BARE.fullmatch(written):
        raise BadValue("value.no_unit", read=shown(value), write=f"{written.lstrip('+-')}m")
    if written is None or not _WHOLE.fullmatch(written):
        raise BadValue("value.no_duration", read=shown(value))
    seconds = Decimal(0)
    sizes: list[Decimal] = []
    for number, unit in _PART.findall(written):
        sizes.append(UNIT_SECONDS[unit])
        seconds += Decimal(number) * UNIT_SECONDS[unit]
    if sizes != sorted(set(sizes), reverse=True):
        raise BadValue("value.units_out_of_order", read=shown(value))
    if seconds > Decimal(int(MAX_DURATION.total_seconds())):
        raise BadValue("value.duration_too_long", read=shown(value), most="3650d")
    return timedelta(microseconds=int(seconds * 1_000_000))


def format_duration(span: timedelta) -> str:
    """Return a time in its largest whole unit, as `parse_duration` reads it: 30d, 36h, 90m, 5s."""
    seconds = int(span.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def parse_share(value: object) -> float:
    """Read `10%` as 0.1. Raises BadValue; a bare number is refused, because 0.1 and 10 both occur."""
    written = _text_of(value)
    if written is not None and _BARE.fullmatch(written):
        raise BadValue("value.no_unit", read=shown(value), write=_share_hint(Decimal(written)))
    match = _SHARE.fullmatch(written) if written is not None else None
    if match is None:
        raise BadValue("value.no_share", read=shown(value))
    percent = Decimal(match[1])
    if percent > 100:
        raise BadValue("value.more_than_all", read=shown(value))
    return float(percent / 100)


def format_share(share: float) -> str:
    """Return 0.1 as `10%`, 0.001 as `0.1%`."""
    return f"{_plain(Decimal(repr(float(share))) * 100)}%"


def _share_hint(number: Decimal) -> Text | str:
    number = abs(number)
    if number == 1:
        return text("value.either", one="1%", other="100%")
    return f"{_plain(number * 100 if 0 < number < 1 else min(number, Decimal(100)))}%"


def _text_of(value: object) -> str | None:
    """Return the text of a scalar as written; None for what can be neither duration nor share."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return format(Decimal(repr(value)), "f")
    return None


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
