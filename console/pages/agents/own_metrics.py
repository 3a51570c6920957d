"""The last hour of an agent's own metrics as small charts, with the rollouts that reached it marked.

Counters become rates between neighbouring rows of one life of the agent: a restart, or a gap, is no
reading rather than a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from agents.models import Series
from console.pages.drawing.readings import Dot, PlotFrame, PlotMark, Span, chart, scale_of, thinned
from console.words import times
from rollouts.models import Target

SPAN = timedelta(hours=1)
MOST_ROWS = 720  # an hour of readings every 5 s
MOST_MARKS = 3
LONGEST_GAP_S = 300.0

Measure = Callable[[Series, Series], float | None]


@dataclass(frozen=True, slots=True)
class OwnChart:
    """One metric: what it is, its newest value and the highest of the hour in words, the picture."""

    name: str
    now: str
    most: str
    svg: SafeString


@dataclass(frozen=True, slots=True)
class OwnCharts:
    """The charts; `since` and `until` are the ends of their time."""

    charts: list[OwnChart]
    since: datetime
    until: datetime

    def __bool__(self) -> bool:
        return bool(self.charts)


def read(agent_id: int, now: datetime) -> OwnCharts:
    """Read the hour before `now`: two queries."""
    since = now - SPAN
    found = Series.objects.filter(agent=agent_id, at__gte=since, at__lte=now).order_by("-at")
    rows = list(reversed(found[:MOST_ROWS]))
    marks = _marks(agent_id, since) if rows else []
    made = [_chart(name, measure, says, rows, since, marks) for name, measure, says in METRICS]
    return OwnCharts([one for one in made if one is not None], since, now)


def _marks(agent_id: int, since: datetime) -> list[PlotMark]:
    """Return when a version was offered to the agent, the newest MOST_MARKS."""
    offered = Target.objects.filter(agent=agent_id, offered_at__gte=since).order_by("-offered_at")
    found = offered.values_list("rollout_id", "offered_at")[:MOST_MARKS]
    return [PlotMark((at - since).total_seconds(), f"R-{pk:04d}") for pk, at in found if at]


def _chart(
    name: object,
    measure: Measure,
    says: Callable[[float], str],
    rows: Sequence[Series],
    since: datetime,
    marks: Sequence[PlotMark],
) -> OwnChart | None:
    """Draw one metric; None when the agent does not report it."""
    values = [
        (row.at, measure(before, row))
        for before, row in pairwise(rows)
        if (row.at - before.at).total_seconds() <= LONGEST_GAP_S
    ]
    known = [value for _at, value in values if value is not None]
    if not known:
        return None
    dots = [
        Dot(
            at_s=(at - since).total_seconds(),
            found=Span(value),
            at=times.stamp(at),
            says=says(value),
        )
        for at, value in values
        if value is not None
    ]
    frame = PlotFrame(scale_of(dots, None), SPAN.total_seconds())
    label = _("%(name)s over the last hour: %(now)s now, %(most)s at most") % {
        "name": name,
        "now": says(known[-1]),
        "most": says(max(known)),
    }
    picture = chart(thinned(dots, None), frame, limit=None, limit_says="", marks=marks, label=label)
    return OwnChart(str(name), says(known[-1]), says(max(known)), picture)


def _rate(before: float | None, after: float | None, first: Series, second: Series) -> float | None:
    """Return the increase of a counter per second; None over a restart, or where it is not reported."""
    seconds = (second.at - first.at).total_seconds()
    if before is None or after is None or seconds <= 0:
        return None
    is_same_life = first.started_at == second.started_at and after >= before
    return (after - before) / seconds if is_same_life else None


def _total(flow: Sequence[float | None] | None) -> float | None:
    known = [value for value in flow or () if value is not None]
    return sum(known) if known else None


def _cpu(first: Series, second: Series) -> float | None:
    return _rate(first.cpu_s, second.cpu_s, first, second)


def _memory(_first: Series, second: Series) -> float | None:
    return second.rss_bytes


def _sent(first: Series, second: Series) -> float | None:
    return _rate(_total(first.sent), _total(second.sent), first, second)


def _lost(row: Series) -> float | None:
    """Return what was refused or failed so far; nought where it only reports what went well: such a
    counter appears with the first failure."""
    lost = [total for flow in (row.refused, row.failed) if (total := _total(flow)) is not None]
    return sum(lost) if lost else None if _total(row.sent) is None else 0.0


def _dropped(first: Series, second: Series) -> float | None:
    return _rate(_lost(first), _lost(second), first, second)


def _cores(value: float) -> str:
    return _("%(n)s %% of a core") % {"n": f"{100 * value:,.1f}"}


def _megabytes(value: float) -> str:
    return _("%(n)s MB") % {"n": f"{value / 1e6:,.0f}"}


def _per_second(value: float) -> str:
    return _("%(n)s/s") % {"n": f"{value:,.1f}" if value < 100 else f"{value:,.0f}"}


METRICS: tuple[tuple[object, Measure, Callable[[float], str]], ...] = (
    (_l("CPU"), _cpu, _cores),
    (_l("Memory"), _memory, _megabytes),
    (_l("Sent items"), _sent, _per_second),
    (_l("Refused or failed items"), _dropped, _per_second),
)
