from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.lib.local_time import BadTime, earliest, latest, moment

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


@pytest.mark.parametrize(
    ("text", "zone", "at"),
    [
        ("2026-07-01T10:00", BERLIN, "2026-07-01T08:00"),
        ("2026-12-01T10:00", BERLIN, "2026-12-01T09:00"),
        ("2026-07-01T10:00+02:00", BERLIN, "2026-07-01T08:00"),
        ("2026-07-01T10:00Z", BERLIN, "2026-07-01T10:00"),
        ("2026-07-01T10:00-05:00", None, "2026-07-01T15:00"),
        ("2026-10-25T02:30+02:00", BERLIN, "2026-10-25T00:30"),
        ("2026-10-25T02:30+01:00", BERLIN, "2026-10-25T01:30"),
    ],
)
def test_a_time_is_read_in_the_zone_that_is_named(
    text: str, zone: ZoneInfo | None, at: str
) -> None:
    assert moment(text, zone) == datetime.fromisoformat(at).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("2026-07-01T10:00", None, "says no offset and no time_zone is named"),
        ("2026-07-01T10:00+05:00", BERLIN, r"disagree: there it is 2026-07-01T07:00\+02:00"),
        ("2026-03-29T02:30", BERLIN, "is skipped by the clocks of Europe/Berlin"),
        ("2026-10-25T02:30", BERLIN, "comes twice on that day in Europe/Berlin"),
        ("tomorrow", BERLIN, "is not a time; write 2026-11-24"),
    ],
)
def test_what_names_no_moment_is_refused(text: str, zone: ZoneInfo | None, words: str) -> None:
    with pytest.raises(BadTime, match=words):
        moment(text, zone)


@given(
    st.sampled_from(ZONES),
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.times().map(lambda t: t.replace(microsecond=0)),
)
def test_readings_are_in_order_and_show_the_time_that_was_written(
    name: str, day: date, clock: time
) -> None:
    zone = ZoneInfo(name)
    first, last = earliest(day, clock, zone), latest(day, clock, zone)
    assert first <= last <= first + timedelta(hours=2)
    local = datetime.combine(day, clock)
    if first == last:
        assert moment(local, zone) == first
        assert first.astimezone(zone).replace(tzinfo=None) == local
    else:
        with pytest.raises(BadTime):
            moment(local, zone)


def test_a_skipped_time_begins_at_the_jump() -> None:
    jump = datetime(2026, 3, 29, 1, tzinfo=UTC)
    for clock in (time(2), time(2, 0, 1), time(2, 30), time(2, 59, 59)):
        assert earliest(date(2026, 3, 29), clock, BERLIN) == jump
