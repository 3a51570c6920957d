"""Freeze windows: when nothing advances in an environment; rollbacks pass (spec section 4). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from console.lib.local_time import earliest, latest

MAX_CHAIN = 60
STEP = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Window:
    """One window, dated or weekly. Weekdays count from 0, Monday; times are local to `time_zone`.

    A weekly window whose `to_time` is not after its `from_time` ends on the next day; without
    times it is the whole day. Where clocks change inside one, it is the longer of what its times
    can mean (`console.lib.local_time`). `environment` "" is everywhere.
    """

    name: str
    environment: str = ""
    time_zone: str = "UTC"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    weekdays: tuple[int, ...] = ()
    from_time: time | None = None
    to_time: time | None = None

    def until(self, now: datetime) -> datetime | None:
        """Return when the window that holds at `now` ends, None when it does not hold."""
        if self.starts_at is not None and now < self.starts_at:
            return None
        if self.ends_at is not None and now >= self.ends_at:
            return None
        if not self.weekdays:
            return self.ends_at if self.starts_at is not None else None
        end = self._weekly_until(now)
        if end is not None and self.ends_at is not None:
            return min(end, self.ends_at)
        return end

    def _weekly_until(self, now: datetime) -> datetime | None:
        zone = ZoneInfo(self.time_zone)
        today = now.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            if day.weekday() not in self.weekdays:
                continue
            start_time, end_time = self.from_time or time(0), self.to_time or time(0)
            start = earliest(day, start_time, zone)
            last = day if end_time > start_time else day + timedelta(days=1)
            end = latest(last, end_time, zone)
            if end <= start:  # all of it is skipped: it keeps its length from the jump on
                end = start + (datetime.combine(last, end_time) - datetime.combine(day, start_time))
            if start <= now < end:
                return end
        return None


@dataclass(frozen=True, slots=True)
class Freeze:
    """Held until `until` by the windows named."""

    until: datetime
    by: str


def frozen(windows: Sequence[Window], environments: Iterable[str], now: datetime) -> Freeze | None:
    """Return the freeze that holds any of these environments now, through windows that follow
    each other without a gap."""
    asked = set(environments)
    mine = [w for w in windows if not w.environment or w.environment in asked]
    at, names = now, []
    for _ in range(MAX_CHAIN):
        ends = [(end, w.name) for w in mine if (end := w.until(at)) is not None and end > at]
        if not ends:
            break
        at, name = max(ends)
        if name not in names:
            names.append(name)
    return Freeze(at, ", ".join(names)) if names else None


def next_freeze(
    windows: Sequence[Window], environments: Iterable[str], now: datetime, within: timedelta
) -> Freeze | None:
    """Return the freeze that begins within this time, to a quarter of an hour; `until` is when it is
    first seen to hold. None when there is none, or one holds already."""
    asked, at = set(environments), now
    if not windows or frozen(windows, asked, now) is not None:
        return None
    while at < now + within:
        at += STEP
        found = frozen(windows, asked, at)
        if found is not None:
            return Freeze(at, found.by)
    return None
