"""How well the fleet was in the last 24 hours: who was not healthy, and the rollouts of that time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.actor import Actor
from agents.models import FleetSample
from console.pages.drawing.readings import Dot, PlotFrame, PlotMark, Span, chart, scale_of, thinned
from console.words import times
from rollouts.models import Rollout

SPAN = timedelta(hours=24)
SHORTEST = timedelta(hours=1)  # of the axis, when samples have only begun
MOST_MARKS = 50
# Of an agent that is being changed nothing bad is known: what is bad decides its status before that.
WELL = frozenset({"healthy", "applying", "queued"})
APART = 0.09  # of the chart's width: marks that stand closer share one line and one name


@dataclass(frozen=True, slots=True)
class FleetHealth:
    """The chart. `since` and `until` are the ends of its axis, `ticks` stand beside its lines from head
    to foot, `most` is the worst of the time; `is_short` while samples have only begun."""

    svg: SafeString
    ticks: list[str]
    since: datetime
    until: datetime
    most: str
    is_short: bool


def read(actor: Actor, samples: Sequence[FleetSample], now: datetime) -> FleetHealth | None:
    """Draw samples, oldest first; None while there is none. One query, for the rollouts."""
    known = [one for one in samples if one.total]
    if not known:
        return None
    since = max(now - SPAN, min(known[0].at, now - SHORTEST))
    begun = Rollout.objects.visible_to(actor).filter(started_at__gte=since, started_at__lte=now)
    starts = begun.order_by("-started_at").values_list("pk", "started_at")[:MOST_MARKS]
    return draw(known, [(pk, at) for pk, at in starts if at], since, now)


def draw(
    samples: Sequence[FleetSample],
    starts: Sequence[tuple[int, datetime]],
    since: datetime,
    now: datetime,
) -> FleetHealth:
    """Return the chart of samples with the starts of rollouts (id, time) marked. Pure."""
    dots = [
        Dot(
            at_s=(one.at - since).total_seconds(),
            found=Span(unwell(one)),
            at=times.stamp(one.at),
            says=_says(one),
        )
        for one in samples
    ]
    span_s = (now - since).total_seconds()
    worst = max(samples, key=unwell)
    drawn = scale_of(dots, None, most=float(worst.total))
    scale = replace(drawn, ticks=tuple(tick for tick in drawn.ticks if tick == int(tick)))
    picture = chart(
        thinned(dots, None),
        PlotFrame(scale, span_s),
        limit=None,
        limit_says="",
        marks=marks(starts, since, span_s),
        label=_label(samples, worst, len(starts)),
    )
    return FleetHealth(
        svg=picture,
        ticks=[f"{tick:,.0f}" for tick in reversed(scale.ticks)],
        since=since,
        until=now,
        most=_says(worst),
        is_short=now - since < SPAN,
    )


def unwell(sample: FleetSample) -> int:
    """Return how many agents of a sample were not healthy."""
    return sample.total - sum(int(sample.counts.get(word, 0)) for word in WELL)


def _says(sample: FleetSample) -> str:
    number = unwell(sample)
    return ngettext(
        "%(n)s of %(total)s agents not healthy", "%(n)s of %(total)s agents not healthy", number
    ) % {"n": f"{number:,}", "total": f"{sample.total:,}"}


def _label(samples: Sequence[FleetSample], worst: FleetSample, rollouts: int) -> str:
    said = _("Agents that were not healthy: %(now)s now, at most %(most)s.") % {
        "now": f"{unwell(samples[-1]):,}",
        "most": f"{unwell(worst):,}",
    }
    if not rollouts:
        return said
    began = ngettext("%(n)d rollout began.", "%(n)d rollouts began.", rollouts) % {"n": rollouts}
    return f"{said} {began}"


def marks(starts: Sequence[tuple[int, datetime]], since: datetime, span_s: float) -> list[PlotMark]:
    """Return a mark for each start of a rollout; those that stand close together share the first one,
    which says how many there are."""
    groups: list[list[tuple[int, float]]] = []
    for pk, at in sorted(starts, key=lambda one: one[1]):
        at_s = (at - since).total_seconds()
        if groups and at_s - groups[-1][0][1] < APART * span_s:
            groups[-1].append((pk, at_s))
        else:
            groups.append([(pk, at_s)])
    return [PlotMark(group[0][1], _name(group)) for group in groups]


def _name(group: Sequence[tuple[int, float]]) -> str:
    first = f"R-{group[0][0]:04d}"
    return first if len(group) == 1 else f"{first} +{len(group) - 1}"
