"""When a freeze window holds, and until when; daylight saving included."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

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
