"""Times that people write, in the zone they are meant in. Pure.

Three rules. A time with an offset is that moment; where a zone is named too, the two must agree
(an offset of nothing, `Z`, names a moment in any zone). A time without one is local to the named zone,
and never UTC by default. A local time that clocks skip, or show twice, is no moment: it is refused
where a moment is asked for; for an end of a weekly window it is read so that the window is longer,
never gone and never there twice.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from console.lib.texts import SaidError


class BadTime(SaidError):
    """A text or time that names no moment. The message is one sentence without its end."""


def moment(at: datetime | str, zone: tzinfo | None) -> datetime:
    """Return the aware moment in UTC that `at` means; `zone` None is that none was named.

    Raises BadTime: no time, no zone for a local time, a zone that disagrees, skipped or shown twice.
    """
    if isinstance(at, str):
        at = _parsed(at)
    shown = at.isoformat(timespec="minutes" if not at.second else "seconds")
    offset = at.utcoffset()
    if offset is None:
        if zone is None:
            raise BadTime("time.no_offset", read=shown)
        return _only(at, zone, shown)
    there = at.astimezone(zone).utcoffset() if zone is not None and offset else offset
    if there != offset:
        clock = at.astimezone(zone).isoformat(timespec="minutes")
        raise BadTime("time.zone_disagrees", read=shown, zone=str(zone), clock=clock)
    return at.astimezone(UTC)


def zone_named(name: str) -> ZoneInfo | None:
    """Return the zone of this name; None for "", which names none. Raises BadTime."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadTime("time.no_zone", read=name[:60]) from error


def earliest(day: date, clock: time, zone: tzinfo) -> datetime:
    """Return when a local time is first reached: at the jump, where clocks skip it."""
    local = datetime.combine(day, clock)
    first, second = _readings(local, zone)
    return _jump(zone, second, first) if _is_skipped(local, zone) else min(first, second)


def latest(day: date, clock: time, zone: tzinfo) -> datetime:
    """Return when a local time is past for good: the second time, where clocks show it twice; as if
    they had not been moved, where they skip it."""
    return max(_readings(datetime.combine(day, clock), zone))


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadTime("time.none", read=text[:40]) from error


def _only(local: datetime, zone: tzinfo, shown: str) -> datetime:
    first, second = _readings(local, zone)
    if _is_skipped(local, zone):
        raise BadTime("time.skipped", read=shown, zone=str(zone))
    if first != second:
        raise BadTime("time.twice", read=shown, zone=str(zone))
    return first


def _readings(local: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the moments by the offset before and after a change of clocks; the same on most days."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second


def _is_skipped(local: datetime, zone: tzinfo) -> bool:
    shown = local.replace(tzinfo=zone, fold=0).astimezone(UTC).astimezone(zone)
    return shown.replace(tzinfo=None) != local


def _jump(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """Return the moment between two, to the second, from which the zone has its new offset."""
    new = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == new:
            after = middle
        else:
            before = middle
    return after
