"""Measured values as people read them: `0.42 %`, `35 ms`, `1.2 MiB/min`. Pure."""

from __future__ import annotations

from console.lib.quantities import Unit, scaled_bytes
from console.words.plain import NO_VALUE
from rollouts.plans.metrics import METRICS, OWN_METRIC


def amount(value: float | None, unit: str) -> str:
    """Write a value in its unit; a dash when there is none. A number never loses its unit."""
    if value is None:
        return NO_VALUE
    if unit == Unit.FRACTION:
        return percent(value)
    if unit == Unit.MS:
        return f"{_digits(value / 1000)} s" if abs(value) >= 10_000 else f"{_digits(value)} ms"
    if unit == Unit.BYTES_PER_MIN:
        number, name = scaled_bytes(value)
        return f"{_digits(number)} {name}/min"
    if unit == Unit.ERRORS_PER_MIN:
        return f"{_digits(value)} errors/min"
    return _digits(value)


def percent(share: float) -> str:
    """Write a share (0 to 1) as a per cent: `10 %`, `0.42 %`. The one way that people read one."""
    return f"{_digits(100 * share)} %"


def unit_of(metric: str) -> str:
    """Return the unit of a metric by its name; a metric of the user's own has none."""
    return METRICS.get(metric, OWN_METRIC).unit.value


def _digits(value: float) -> str:
    """Two decimals below 10, one below 100, none above; thousands separated."""
    size = abs(value)
    places = 2 if size < 10 else 1 if size < 100 else 0
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
