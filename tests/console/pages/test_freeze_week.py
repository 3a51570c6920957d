"""The coming week of freeze windows as bars: in the reader's zone, dated and weekly ones alike."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from console.pages.freeze_week import freeze_week
from rollouts.limits.freeze import Window

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)  # a Monday


def window(**fields: Any) -> Window:
    known: dict[str, Any] = {
        "name": "w",
        "environment": "",
        "time_zone": "UTC",
        "starts_at": None,
        "ends_at": None,
        "weekdays": (),
        "from_time": None,
        "to_time": None,
    }
    return Window(**{**known, **fields})


def test_a_week_begins_today_and_has_a_bar_a_day() -> None:
    found = freeze_week([window(weekdays=(1,), from_time=time(9), to_time=time(17))], NOW, UTC)
    assert [day.name for day in found][:2] == ["Mon 23 Nov", "Tue 24 Nov"]
    assert [day.says for day in found] == ["", "09:00\N{EN DASH}17:00", "", "", "", "", ""]
    assert 'aria-label="Tue 24 Nov: 09:00\N{EN DASH}17:00"' in found[1].bar
    assert 'aria-label="Mon 23 Nov: never"' in found[0].bar


def test_times_are_those_of_the_reader() -> None:
    weekly = window(weekdays=(1,), from_time=time(9), to_time=time(17))
    found = freeze_week([weekly], NOW, ZoneInfo("Europe/Berlin"))
    assert found[1].says == "10:00\N{EN DASH}18:00"


def test_a_dated_window_of_one_environment_is_drawn_too() -> None:
    dated = window(
        environment="prod",
        starts_at=datetime(2026, 11, 24, 18, tzinfo=UTC),
        ends_at=datetime(2026, 11, 25, 6, tzinfo=UTC),
    )
    found = freeze_week([dated], NOW, UTC)
    assert [day.says for day in found][1:3] == ["18:00\N{EN DASH}24:00", "00:00\N{EN DASH}06:00"]
