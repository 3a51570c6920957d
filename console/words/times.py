"""Times and durations as people read them: "4 s ago", "in 6 min", "10:58:00 CET".

Pure; the zone is a parameter. The browser writes the same words again once a second
(`static/js/time.js`), so both sides must agree: `tests/console/words/test_times.py` has the table.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from django.utils.dateparse import parse_datetime
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from console.lib.texts import Sentence, Template

_MONTHS = (
    pgettext_lazy("short month", "Jan"),
    pgettext_lazy("short month", "Feb"),
    pgettext_lazy("short month", "Mar"),
    pgettext_lazy("short month", "Apr"),
    pgettext_lazy("short month", "May"),
    pgettext_lazy("short month", "Jun"),
    pgettext_lazy("short month", "Jul"),
    pgettext_lazy("short month", "Aug"),
    pgettext_lazy("short month", "Sep"),
    pgettext_lazy("short month", "Oct"),
    pgettext_lazy("short month", "Nov"),
    pgettext_lazy("short month", "Dec"),
)


def span(seconds: float) -> str:
    """Say how far away something is, for ages and what is left: `42 s`, `6 min`, `1 h 52 min`, `3 d 4 h`."""
    total = round(abs(seconds))
    if total < 60:
        return _("%(s)s s") % {"s": total}
    if total < 3600:
        return _("%(m)s min") % {"m": total // 60}
    if total < 86400:
        hours, minutes = total // 3600, total % 3600 // 60
        if not minutes:
            return _("%(h)s h") % {"h": hours}
        return _("%(h)s h %(m)s min") % {"h": hours, "m": minutes}
    days, hours = total // 86400, total % 86400 // 3600
    if not hours or days >= 14:
        return _("%(d)s d") % {"d": days}
    return _("%(d)s d %(h)s h") % {"d": days, "h": hours}


def exact_span(seconds: float) -> str:
    """Say a duration, measured or planned, the one way that people read one: `0.3 s`, `48 s`,
    `1 min 48 s`, `1 h 52 min`."""
    if 0 < abs(seconds) < 10 and seconds != round(seconds):
        return _("%(s)s s") % {"s": f"{abs(seconds):.1f}"}
    total = round(abs(seconds))
    if 60 <= total < 3600 and total % 60:
        return _("%(m)s min %(s)s s") % {"m": total // 60, "s": total % 60}
    return span(total)


def spans(sentence: Template, *names: str) -> Sentence:
    """Return a sentence in which these parameters, seconds, are said as durations."""
    return lambda params: sentence.format_map(
        {**params, **{name: exact_span(float(params[name])) for name in names}}
    )


def kept_moment(kept: object) -> str:
    """Say a time that a kept sentence names (ISO 8601): sentences are in UTC, for everybody."""
    at = parse_datetime(str(kept))
    now = datetime.now(UTC)
    return str(kept) if at is None else f"{dated_clock(at, UTC, now)} {zone_name(at, UTC)}"


def relative(at: datetime, now: datetime) -> str:
    """Say when something was or will be, seen from `now`."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1:
        return _("now")
    if seconds > 0:
        return _("%(span)s ago") % {"span": span(seconds)}
    return _("in %(span)s") % {"span": span(seconds)}


def countdown(deadline: datetime, now: datetime) -> str:
    """Write the time left as `06:12`; above an hour without ticking seconds: `23 h 59 min`."""
    left = max(0, int((deadline - now).total_seconds()))
    return span(left) if left >= 3600 else f"{left // 60:02}:{left % 60:02}"


def zone_name(at: datetime, zone: tzinfo) -> str:
    """Return the zone's short name at that time, such as CET or UTC."""
    return at.astimezone(zone).tzname() or "UTC"


def clock(at: datetime, zone: tzinfo) -> str:
    """`10:58:00`: for lists of events, which say their zone once in the head."""
    return at.astimezone(zone).strftime("%H:%M:%S")


def minute(at: datetime, zone: tzinfo) -> str:
    """`10:58 CET`: a time of today inside a sentence."""
    local = at.astimezone(zone)
    return f"{local:%H:%M} {zone_name(at, zone)}"


def day(at: datetime, zone: tzinfo) -> str:
    """`23 Nov 2026`."""
    local = at.astimezone(zone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def weekday(at: datetime, zone: tzinfo) -> str:
    """`Mon 23 Nov`."""
    local = at.astimezone(zone)
    return f"{WEEKDAYS_ABBR[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"


def short(at: datetime, zone: tzinfo) -> str:
    """`23 Nov, 10:58 CET`."""
    local = at.astimezone(zone)
    return f"{local.day} {_MONTHS[local.month - 1]}, {minute(at, zone)}"


def full(at: datetime, zone: tzinfo) -> str:
    """`23 Nov 2026, 10:58:00 CET (09:58 UTC)`: the title of every time."""
    text = f"{day(at, zone)}, {clock(at, zone)} {zone_name(at, zone)}"
    if at.astimezone(zone).utcoffset() != timedelta(0):
        text += f" ({at.astimezone(UTC):%H:%M} UTC)"
    return text


def stamp(at: datetime) -> str:
    """The machine-readable form in `datetime=`: UTC with milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def due(at: datetime, zone: tzinfo, now: datetime) -> str:
    """`10:58 CET` today, `tomorrow 10:58 CET`, `25 Nov, 10:58 CET`: when something will be."""
    days = (at.astimezone(zone).date() - now.astimezone(zone).date()).days
    if days == 1:
        return _("tomorrow %(time)s") % {"time": minute(at, zone)}
    return short(at, zone) if days else minute(at, zone)


def dated_clock(at: datetime, zone: tzinfo, now: datetime) -> str:
    """`10:58:00` today, `23 Nov, 10:58:00` on any other day: a time in a list of events."""
    local = at.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return clock(at, zone)
    return f"{local.day} {_MONTHS[local.month - 1]}, {clock(at, zone)}"


STYLES = {"minute": minute, "day": day, "short": short, "full": full}
SEEN_FROM_NOW = {"clock": dated_clock, "due": due}


def shown(at: datetime, style: str, *, now: datetime, zone: tzinfo) -> str:
    """Return the text of a time in one of the styles, `rel` for the relative one; `clock` and `due`
    have their day when that is not today."""
    if style in SEEN_FROM_NOW:
        return SEEN_FROM_NOW[style](at, zone, now)
    return relative(at, now) if style == "rel" else STYLES[style](at, zone)


def for_browser() -> dict[str, object]:
    """Return the same words with `{name}` for what the browser fills in."""
    return {
        "months": [str(month) for month in _MONTHS],
        "now": _("now"),
        "ago": _("%(span)s ago") % {"span": "{span}"},
        "tomorrow": _("tomorrow %(time)s") % {"time": "{time}"},
        "in": _("in %(span)s") % {"span": "{span}"},
        "s": _("%(s)s s") % {"s": "{s}"},
        "m": _("%(m)s min") % {"m": "{m}"},
        "h": _("%(h)s h") % {"h": "{h}"},
        "hm": _("%(h)s h %(m)s min") % {"h": "{h}", "m": "{m}"},
        "d": _("%(d)s d") % {"d": "{d}"},
        "dh": _("%(d)s d %(h)s h") % {"d": "{d}", "h": "{h}"},
    }
