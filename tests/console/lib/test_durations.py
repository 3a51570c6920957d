from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.lib.durations import (
    BadValue,
    format_share,
    parse_duration,
    parse_share,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("1h30m", 5400),
        ("24h", 86400),
        ("7d", 604800),
        ("250ms", 0.25),
        ("1.5h", 5400),
        ("0s", 0),
        (" 1h 30m ", 5400),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("15", '"15" has no unit; write 15m'),
        (15, "15 has no unit; write 15m"),
        (1.5, "1.5 has no unit; write 1.5m"),
        ("15 minutes", "is not a duration; write it like 90s"),
        ("-5m", "is not a duration"),
        ("30m1h", "the largest first"),
        ("1h1h", "each once"),
        ("9999d", "longer than 3650d"),
        (None, "(empty) is not a duration"),
        (True, "true is not a duration"),
        ([1], "(a list) is not a duration"),
    ],
)
def test_a_wrong_duration_says_what_would_be_right(value: object, words: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_duration(value)
    assert words in str(caught.value)


@pytest.mark.parametrize(("text", "share"), [("10%", 0.1), ("0.1%", 0.001), ("100 %", 1.0)])
def test_shares_are_read_as_fractions(text: str, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (10, "10 has no unit; write 10%"),
        (0.1, "0.1 has no unit; write 10%"),
        (1, "1 has no unit; write 1% or 100%"),
        ("5", '"5" has no unit; write 5%'),
        ("110%", "write at most 100%"),
        ("ten", "is not a share; write it like 10%"),
        (None, "is not a share"),
    ],
)
def test_a_wrong_share_says_what_would_be_right(value: object, words: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_share(value)
    assert words in str(caught.value)


@given(st.integers(0, 100_000).map(lambda n: n / 100_000))
def test_a_share_survives_writing_and_reading(share: float) -> None:
    assert parse_share(format_share(share)) == pytest.approx(share)
