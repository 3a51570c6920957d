"""The moments that a replay stops at: those in which something changed. Pure but for `read`.

Events are all kept, up to MOST; of what the engine saw and read between them so many as there is room for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from console.words import events as event_words
from console.words import times
from rollouts.models import Event, Measurement, Rollout, RolloutMoment

T = TypeVar("T")

MOST = 300
MOST_READ = 5_000


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop. `says` is the event that happened then, "" when only numbers changed."""

    at: datetime
    says: str = ""
    token: str = ""

    @property
    def stamp(self) -> str:
        """The time as addresses name it; no earlier than the stop, or it would miss what happened."""
        return self.at.isoformat().replace("+00:00", "Z")


def read(rollout: Rollout, now: datetime) -> list[Stop]:
    """Return the stops of a rollout from its first event on; of one that runs, up to now. Two
    queries."""
    events = Event.objects.filter(rollout=rollout).order_by("seq")[:MOST_READ]
    said = [(e.at, event_words.line(e)) for e in events]
    seen = RolloutMoment.objects.filter(rollout=rollout).order_by().values_list("at", flat=True)
    taken = Measurement.objects.filter(rollout=rollout).order_by().values_list("at", flat=True)
    quiet = set(seen.union(taken).order_by("at")[:MOST_READ])
    if rollout.finished_at is None and said:
        quiet.add(now)
    return merged([Stop(at, line.text, line.token) for at, line in said], quiet)


def merged(events: Sequence[Stop], quiet: Iterable[datetime], most: int = MOST) -> list[Stop]:
    """Return at most `most` stops in their order: one a moment, events before what is quiet."""
    by_time: dict[datetime, Stop] = {}
    for step in events:
        before = by_time.get(step.at)
        says = f"{before.says} {step.says}" if before is not None and before.says else step.says
        by_time[step.at] = Stop(step.at, says, step.token or (before.token if before else ""))
    loud = evenly(sorted(by_time.values(), key=lambda step: step.at), most)
    if not loud:
        return []
    others = sorted(at for at in set(quiet) if at not in by_time and at > loud[0].at)
    found = [*loud, *(Stop(at) for at in evenly(others, most - len(loud)))]
    return sorted(found, key=lambda step: step.at)


def evenly(found: Sequence[T], most: int) -> list[T]:
    """Return at most `most` of them, the first and the last among them."""
    if most <= 0:
        return []
    if len(found) <= most:
        return list(found)
    if most == 1:
        return [found[-1]]
    return [found[round(n * (len(found) - 1) / (most - 1))] for n in range(most)]


def at_or_before(steps: Sequence[Stop], at: datetime) -> int:
    """Return the index of the stop that a time belongs to: the last one not after it, else the first."""
    return max(0, bisect_right([step.at for step in steps], at) - 1)


def ticks(steps: Sequence[Stop]) -> SafeString:
    """Draw the stops of events as ticks over the slider, in the colour of each."""
    last = max(1, len(steps) - 1)
    lines = format_html_join(
        "",
        '<line class="is-{}" x1="{}%" x2="{}%" y1="0" y2="100%"/>',
        (
            (step.token or "off", _place(index, last), _place(index, last))
            for index, step in enumerate(steps)
            if step.says
        ),
    )
    return format_html(
        '<svg class="ticks" width="100%" height="10" aria-hidden="true">{}</svg>', lines
    )


def _place(index: int, last: int) -> str:
    return f"{100 * index / last:.2f}"


def offsets(steps: Sequence[Stop]) -> str:
    """Write the times of the stops shortly: the first in full, then milliseconds since it."""
    if not steps:
        return ""
    first = steps[0].at.replace(microsecond=steps[0].at.microsecond // 1000 * 1000)
    since = (f"{(step.at - first).total_seconds() * 1000:.3f}" for step in steps)
    return f"{times.stamp(first)} {' '.join(since)}"
