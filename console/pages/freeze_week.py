"""The next seven days of freeze windows as a picture: a bar a day, half an hour the least. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import groupby

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.pages.drawing.charts import BarPart, stacked_bar
from console.words import times
from rollouts.limits.freeze import Window, frozen

DAYS = 7
STEPS = 48  # of a day
STEP = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class FreezeDay:
    """One day in the reader's zone; `says` are the times at which something is frozen, "" for never."""

    name: str
    bar: SafeString
    says: str


def freeze_week(windows: Sequence[Window], now: datetime, zone: tzinfo) -> list[FreezeDay]:
    """Return seven days from today on: when rollouts into any environment stand still."""
    today = now.astimezone(zone).date()
    return [_day(windows, today + timedelta(days=n), zone) for n in range(DAYS)]


def _day(windows: Sequence[Window], on: date, zone: tzinfo) -> FreezeDay:
    begins = datetime.combine(on, time(), zone)
    held = [_holds(windows, begins + n * STEP) for n in range(STEPS)]
    parts, spans, at = [], [], 0
    for is_held, run in groupby(held):
        length = len(list(run))
        parts.append(BarPart("wait" if is_held else "todo", length))
        if is_held:
            spans.append(f"{_clock(at)}\N{EN DASH}{_clock(at + length)}")
        at += length
    name = times.weekday(begins, zone)
    says = ", ".join(spans)
    label = f"{name}: {says}" if says else _("%(day)s: never") % {"day": name}
    return FreezeDay(name, stacked_bar(parts, STEPS, label), says)


def _holds(windows: Sequence[Window], at: datetime) -> bool:
    return any(
        frozen([window], [window.environment] if window.environment else [], at)
        for window in windows
    )


def _clock(step: int) -> str:
    return f"{step // 2:02}:{step % 2 * 30:02}"
