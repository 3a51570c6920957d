from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.words import times

NOW = datetime(2026, 11, 23, 9, 52, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (42, "42 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (372, "6 min"),
        (3600, "1 h"),
        (6720, "1 h 52 min"),
        (86400, "1 d"),
        (273600, "3 d 4 h"),
        (86400 * 20 + 3600, "20 d"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert times.span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.3, "0.3 s"), (48, "48 s"), (108, "1 min 48 s"), (3600, "1 h")]
)
def test_a_measured_duration_keeps_its_seconds(seconds: float, text: str) -> None:
    assert times.exact_span(seconds) == text


@pytest.mark.parametrize(
    ("shift", "text"), [(-240, "4 min ago"), (-4, "4 s ago"), (0, "now"), (360, "in 6 min")]
)
def test_a_relative_time_is_seen_from_now(shift: int, text: str) -> None:
    assert times.relative(NOW + timedelta(seconds=shift), NOW) == text


@pytest.mark.parametrize(
    ("left", "text"), [(372, "06:12"), (-5, "00:00"), (3972, "1 h 6 min"), (183600, "2 d 3 h")]
)
def test_a_countdown_shows_what_is_left(left: int, text: str) -> None:
    assert times.countdown(NOW + timedelta(seconds=left), NOW) == text


@pytest.mark.parametrize(
    ("shift", "text"),
    [
        (timedelta(minutes=6), "10:58 CET"),
        (timedelta(hours=23, minutes=59), "tomorrow 10:51 CET"),
        (timedelta(hours=13, minutes=8), "tomorrow 00:00 CET"),  # by the reader's day, not by UTC's
        (timedelta(days=2), "25 Nov, 10:52 CET"),
        (timedelta(days=-1), "22 Nov, 10:52 CET"),
    ],
)
def test_what_is_due_has_its_day_when_that_is_not_today(shift: timedelta, text: str) -> None:
    assert times.shown(NOW + shift, "due", now=NOW, zone=BERLIN) == text


@pytest.mark.parametrize(
    ("shift", "text"),
    [
        (timedelta(minutes=-4), "10:48:00"),
        (timedelta(days=-1), "22 Nov, 10:52:00"),
        (timedelta(hours=-10, minutes=-53), "22 Nov, 23:59:00"),
    ],
)
def test_a_line_of_a_list_has_its_day_when_that_is_not_today(shift: timedelta, text: str) -> None:
    assert times.shown(NOW + shift, "clock", now=NOW, zone=BERLIN) == text


def test_the_full_form_names_both_zones() -> None:
    assert times.full(NOW, BERLIN) == "23 Nov 2026, 10:52:00 CET (09:52 UTC)"


def test_the_full_form_in_utc_names_it_once() -> None:
    assert times.full(NOW, UTC) == "23 Nov 2026, 09:52:00 UTC"


def test_a_minute_always_names_its_zone() -> None:
    assert times.minute(NOW, BERLIN) == "10:52 CET"


@pytest.mark.parametrize("seconds", [0, 42, 60, 372, 3600, 6720, 86400, 273600, 86400 * 20])
def test_the_browser_writes_the_same_words(seconds: int) -> None:
    """As `static/js/time.js` does, with the words that it is given."""
    days, hours, minutes = seconds // 86400, seconds % 86400 // 3600, seconds % 3600 // 60
    kind, values = "dh" if hours and days < 14 else "d", {"d": days, "h": hours}
    if seconds < 86400:
        kind, values = "hm" if minutes else "h", {"h": hours, "m": minutes}
    if seconds < 3600:
        kind, values = ("m", {"m": minutes}) if seconds >= 60 else ("s", {"s": seconds})
    assert str(times.for_browser()[kind]).format_map(values) == times.span(seconds)
