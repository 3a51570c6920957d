"""Amounts with a unit, as thresholds write them: `0.1%`, `50ms`, `10 errors/min`, `5MiB/min`.

Each metric has one base unit (spec section 6); everything is kept in it. Pure.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from enum import StrEnum

from console.lib.durations import BadValue, format_share, parse_share, shown


class Unit(StrEnum):
    """Base units of metrics."""

    FRACTION = "fraction"
    COUNT = "count"
    ERRORS_PER_MIN = "errors/min"
    BYTES_PER_MIN = "bytes/min"
    MS = "ms"
    NONE = "none"  # a metric of the user's own: numbers are taken as given


_AMOUNT = re.compile(r"([-+]?\d{1,15}(?:\.\d{1,9})?)\s*(.*)")
_PER = {"s": Decimal(60), "sec": Decimal(60), "min": Decimal(1), "m": Decimal(1)}
_PER["h"] = Decimal(1) / 60
_TIME_MS = {"us": Decimal("0.001"), "ms": Decimal(1), "s": Decimal(1000), "m": Decimal(60_000)}
_BYTES = {"B": 1, "bytes": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_BYTES |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

EXAMPLES = {
    Unit.FRACTION: "0.5%",
    Unit.COUNT: "5",
    Unit.ERRORS_PER_MIN: "10 errors/min",
    Unit.BYTES_PER_MIN: "5MiB/min",
    Unit.MS: "50ms",
    Unit.NONE: "0.9",
}


def parse_quantity(value: object, unit: Unit, *, bare: bool = False) -> float:
    """Read an amount into `unit`. Raises BadValue saying what would be right.

    `bare` admits a number without a unit, taken in the base unit itself (success criteria are
    written `threshold: 0.001`); counts and the user's own metrics are always bare.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise BadValue("value.no_amount", read=value, like=EXAMPLES[unit])
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _bare_number(float(value), value, unit, bare)
    match = _AMOUNT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise BadValue("value.no_amount", read=shown(value), like=EXAMPLES[unit])
    number, suffix = Decimal(match[1]), match[2].strip()
    if not suffix:
        return _bare_number(float(number), value, unit, bare)
    if unit is Unit.FRACTION or (unit is Unit.NONE and suffix == "%"):
        return parse_share(value)
    scale = _scale(suffix, unit)
    if scale is None:
        raise BadValue("value.wrong_unit", read=shown(value), like=EXAMPLES[unit])
    return float(number * scale)


def format_quantity(value: float, unit: Unit) -> str:
    """Return the amount as people write it, readable by `parse_quantity`."""
    if unit is Unit.FRACTION:
        return format_share(value) if value <= 1 else _number(value)
    if unit in (Unit.COUNT, Unit.NONE):
        return _number(value)
    if unit is Unit.MS:
        return f"{_number(value)}ms"
    return f"{_number(value)} {unit.value}"


def scaled_bytes(value: float) -> tuple[float, str]:
    """Return an amount of bytes in the unit that people would write it in: a round decimal one
    (1,000,000 is 1 MB), else the largest binary one that it reaches."""
    for name in ("GB", "MB", "KB"):
        number = value / _BYTES[name]
        if abs(number) >= 1 and number.is_integer():
            return number, name
    for name in ("GiB", "MiB", "KiB"):
        if abs(value) >= _BYTES[name]:
            return value / _BYTES[name], name
    return value, "B"


def _bare_number(number: float, value: object, unit: Unit, bare: bool) -> float:
    if unit in (Unit.COUNT, Unit.NONE):
        return number
    if not bare:
        if unit is Unit.FRACTION:
            parse_share(value)  # refuses a bare number, naming the share that was probably meant
        example = EXAMPLES[unit].lstrip("0123456789.")
        raise BadValue("value.no_unit", read=shown(value), write=f"{_number(number)}{example}")
    if unit is Unit.FRACTION and not -1 <= number <= 1:
        raise BadValue("value.percent_meant", read=shown(value), write=f"{_number(number)}%")
    return number


def _scale(suffix: str, unit: Unit) -> Decimal | None:
    if unit is Unit.MS:
        return _TIME_MS.get(suffix)
    if unit is Unit.ERRORS_PER_MIN:
        what, _, per = suffix.partition("/")
        return _PER.get(per.strip()) if what.strip() in ("", "error", "errors") else None
    if unit is Unit.BYTES_PER_MIN:
        what, _, per = suffix.partition("/")
        size, rate = _BYTES.get(what.strip()), _PER.get(per.strip())
        return None if size is None or rate is None else size * rate
    if unit is Unit.COUNT:
        return Decimal(1) if suffix in ("error", "errors") else None
    return None


def _number(value: float) -> str:
    text = format(Decimal(repr(float(value))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
