"""When a freeze window holds, and until when; daylight saving included."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.limits.freeze import Window, frozen

WEEKEND = Window("weekend", weekdays=(5, 6))
NIGHT = Window("night", weekdays=(0, 1, 2, 3, 4), from_time=time(18), to_time=time(6))
BERLIN = Window(
    "evening", time_zone="Europe/Berlin", weekdays=(6,), from_time=time(1), to_time=time(4)
)
HOLIDAYS = Window(
    "holidays",
    environment="prod",
    starts_at=datetime(2026, 12, 20, tzinfo=UTC),
    ends_at=datetime(2027, 1, 3, tzinfo=UTC),
)


def when(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("windows", "environments", "now", "until"),
    [
        ([WEEKEND], ["prod"], "2026-11-06T12:00", None),  # a Friday
        ([WEEKEND], ["prod"], "2026-11-07T00:00", "2026-11-09T00:00"),
        ([WEEKEND], ["prod"], "2026-11-08T23:59", "2026-11-09T00:00"),
        ([NIGHT], ["prod"], "2026-11-06T19:00", "2026-11-07T06:00"),
        ([NIGHT], ["prod"], "2026-11-07T05:59", "2026-11-07T06:00"),
        ([NIGHT], ["prod"], "2026-11-07T06:00", None),
        # Friday night, then the weekend: one freeze to Monday morning
        ([NIGHT, WEEKEND], ["prod"], "2026-11-06T19:00", "2026-11-09T00:00"),
        ([HOLIDAYS], ["prod"], "2026-12-24T00:00", "2027-01-03T00:00"),
        ([HOLIDAYS], ["staging"], "2026-12-24T00:00", None),
        ([HOLIDAYS], [], "2026-12-24T00:00", None),
        ([HOLIDAYS], ["dev", "prod"], "2026-12-20T00:00", "2027-01-03T00:00"),
        ([HOLIDAYS], ["prod"], "2027-01-03T00:00", None),
        # 2026-10-25: clocks go back at 03:00, so 01:00 to 04:00 lasts four hours
        ([BERLIN], ["prod"], "2026-10-24T23:00", "2026-10-25T03:00"),
        # 2026-03-29: clocks go forward, it lasts two
        ([BERLIN], ["prod"], "2026-03-29T00:00", "2026-03-29T02:00"),
    ],
)
def test_until_when(
    windows: list[Window], environments: list[str], now: str, until: str | None
) -> None:
    held = frozen(windows, environments, when(now))
    assert (held.until if held else None) == (when(until) if until else None)


def test_all_windows_that_follow_each_other_are_named() -> None:
    held = frozen([NIGHT, WEEKEND], ["prod"], when("2026-11-06T19:00"))
    assert held is not None
    assert held.by == "night, weekend"


def weekly(start: str, end: str, *days: int, zone: str = "Europe/Berlin") -> Window:
    return Window(
        "weekly",
        time_zone=zone,
        weekdays=days or (6,),
        from_time=time.fromisoformat(start),
        to_time=time.fromisoformat(end),
    )


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        # 2026-03-29: 02:00 to 03:00 is skipped in Berlin, at 01:00 UTC
        ("02:30", "03:30", "2026-03-29T01:00", "2026-03-29T01:30"),
        ("02:15", "02:45", "2026-03-29T01:00", "2026-03-29T01:45"),
        ("02:50", "03:00", "2026-03-29T01:00", "2026-03-29T01:10"),
        ("01:30", "02:30", "2026-03-29T00:30", "2026-03-29T01:30"),
        # 2026-10-25: 02:00 to 03:00 comes twice, from 00:00 and from 01:00 UTC
        ("02:15", "02:45", "2026-10-25T00:15", "2026-10-25T01:45"),
        ("01:00", "02:30", "2026-10-24T23:00", "2026-10-25T01:30"),
        ("02:30", "04:00", "2026-10-25T00:30", "2026-10-25T03:00"),
    ],
)
def test_a_weekly_window_is_there_once_when_clocks_change(
    start: str, end: str, first: str, last: str
) -> None:
    window = weekly(start, end)
    held = [
        at
        for at in (when(last[:10]) + timedelta(minutes=n) for n in range(-180, 360))
        if frozen([window], [], at)
    ]
    assert held[0] == when(first)
    assert held[-1] == when(last) - timedelta(minutes=1)
    assert held[-1] - held[0] == timedelta(minutes=len(held) - 1)


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"]


@given(
    st.sampled_from(ZONES),
    st.integers(0, 23 * 12),
    st.integers(1, 20),
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
)
def test_no_change_of_clocks_takes_a_window_away(
    zone: str, start: int, length: int, day: date
) -> None:
    """Each day it is held once, for about as long as was written."""
    begin = datetime.combine(day, time()) + timedelta(minutes=5 * start)
    end = begin + timedelta(minutes=5 * length)
    window = weekly(begin.time().isoformat(), end.time().isoformat(), day.weekday(), zone=zone)
    noon = datetime.combine(day, time(12), UTC)
    looks = [noon + timedelta(minutes=5 * n) for n in range(-36 * 12, 36 * 12)]
    held = [at for at in looks if window.until(at)]
    assert held
    assert held[-1] - held[0] == timedelta(minutes=5 * (len(held) - 1))
    assert abs(len(held) - length) <= 13
