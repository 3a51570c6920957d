from __future__ import annotations

import pytest

from console.lib.durations import BadValue
from console.lib.quantities import Unit, format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [
        ("0.1%", Unit.FRACTION, 0.001),
        ("50ms", Unit.MS, 50.0),
        ("1.5s", Unit.MS, 1500.0),
        ("10 errors/min", Unit.ERRORS_PER_MIN, 10.0),
        ("1/s", Unit.ERRORS_PER_MIN, 60.0),
        ("60 errors/h", Unit.ERRORS_PER_MIN, 1.0),
        ("5MiB/min", Unit.BYTES_PER_MIN, 5 * 1024 * 1024.0),
        ("5", Unit.COUNT, 5.0),
        (5, Unit.COUNT, 5.0),
        (0.9, Unit.NONE, 0.9),
        ("5%", Unit.NONE, 0.05),
    ],
)
def test_amounts_are_read_in_the_base_unit(text: object, unit: Unit, amount: float) -> None:
    assert parse_quantity(text, unit) == pytest.approx(amount)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.1, Unit.FRACTION, "0.1 has no unit; write 10%"),
        (50, Unit.MS, "50 has no unit; write 50ms"),
        (10, Unit.ERRORS_PER_MIN, "10 has no unit; write 10 errors/min"),
        ("50ms", Unit.FRACTION, "is not a share"),
        ("5%", Unit.MS, "has the wrong unit; write it like 50ms"),
        ("10 apples/min", Unit.ERRORS_PER_MIN, "wrong unit"),
        ("high", Unit.MS, "is not an amount"),
        (float("nan"), Unit.NONE, "nan is not an amount"),
        (True, Unit.COUNT, "true is not an amount"),
    ],
)
def test_a_wrong_amount_says_what_would_be_right(value: object, unit: Unit, words: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_quantity(value, unit)
    assert words in str(caught.value)


def test_a_bare_number_is_the_base_unit_where_it_is_allowed() -> None:
    assert parse_quantity(0.001, Unit.FRACTION, bare=True) == 0.001


def test_a_bare_fraction_above_one_is_refused() -> None:
    with pytest.raises(BadValue, match="write 5%"):
        parse_quantity(5, Unit.FRACTION, bare=True)


@pytest.mark.parametrize("unit", list(Unit))
def test_an_amount_survives_writing_and_reading(unit: Unit) -> None:
    amount = 0.25 if unit is Unit.FRACTION else 25.0
    text = format_quantity(amount, unit)
    assert parse_quantity(text.replace("bytes", "B"), unit) == amount
