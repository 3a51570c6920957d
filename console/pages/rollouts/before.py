"""Before and after the decision to go back: who had the version, who failed, what the gates read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.lib.texts import said
from console.pages.drawing import plots
from console.pages.drawing.plots import PlotPoint
from console.pages.rollouts.evidence.rows import GateReading, by_gate
from console.words import numbers
from rollouts.analysis.catalogue import title_of
from rollouts.engine.states import FAILED_TARGETS
from rollouts.models import Rollback, RollbackTarget, Rollout, Target

MIN_POINTS = 3  # fewer readings make no curve
METRICS = 6
MOST_STEPS = 240
AROUND = 0.15  # of the time between the first offer and the last return, before and after it


@dataclass(frozen=True, slots=True)
class Before:
    """One number around the decision: a small chart, and what it was before, at most and last."""

    title: str
    text: str
    chart: SafeString


def before_and_after(rollout: Rollout, rollback: Rollback) -> list[Before]:
    """Return the charts around the decision; three queries."""
    metrics: dict[str, list[GateReading]] = {}
    for readings in by_gate(rollout).values():
        values = [r for r in readings if r.outcome == "value"]
        if len(values) >= MIN_POINTS:
            metrics.setdefault(values[0].metric, values)
    measured = [_measured(values, rollback.decided_at) for values in list(metrics.values())]
    return [*_agents(rollout, rollback), *measured[:METRICS]]


def _agents(rollout: Rollout, rollback: Rollback) -> list[Before]:
    """Draw how many agents had the version, and how many had failed, from their own words."""
    found = RollbackTarget.objects.filter(rollback=rollback, confirmed_at__isnull=False)
    back = {agent: at for agent, at in found.values_list("agent_id", "confirmed_at") if at}
    rows = list(
        Target.objects.filter(rollout=rollout, offered_at__isnull=False).values_list(
            "agent_id", "offered_at", "confirmed_at", "state", "taken_from"
        )
    )
    if not rows:
        return []
    had = [(offered, back.get(agent)) for agent, offered, _at, _state, _was in rows if offered]
    failed = [
        (at, back.get(agent))
        for agent, _offered, at, state, was in rows
        if at is not None and (state in FAILED_TARGETS or was in FAILED_TARGETS)
    ]
    version = f"v{rollout.version.number}"
    first = min(start for start, _end in had)
    last = max([*back.values(), rollback.decided_at])
    window = (first, last)
    charts = [_counted(_("Agents that had %(v)s") % {"v": version}, had, window, rollback)]
    if failed:
        charts.append(_counted(_("Agents that failed"), failed, window, rollback))
    return charts


def _counted(
    title: str,
    spans: Sequence[tuple[datetime, datetime | None]],
    window: tuple[datetime, datetime],
    rollback: Rollback,
) -> Before:
    first, last = window
    around_s = max(0.5, AROUND * (last - first).total_seconds())
    points = steps(
        [((start - first).total_seconds() + around_s, 1) for start, _end in spans]
        + [((end - first).total_seconds() + around_s, -1) for _s, end in spans if end is not None],
        (last - first).total_seconds() + 2 * around_s,
    )
    peak, left = max(value for _at, value in points), points[-1][1]
    text = f"0 → {peak:,} → {left:,}"
    label = _("%(title)s: none before, at most %(peak)s, %(left)s in the end") % {
        "title": title,
        "peak": f"{peak:,}",
        "left": f"{left:,}",
    }
    mark = (rollback.decided_at - first).total_seconds() + around_s
    drawn = [PlotPoint(at, float(value)) for at, value in points]
    return Before(title, text, plots.sparkline(drawn, None, label, mark_s=mark))


def steps(changes: Iterable[tuple[float, int]], end_s: float) -> list[tuple[float, int]]:
    """Return a number that changes at moments, as the corners of its steps from 0 s to `end_s`. Pure.

    Of very many moments those that lie together are drawn as one.
    """
    width = end_s / MOST_STEPS
    by_time: Counter[int] = Counter()
    for at_s, by in changes:
        by_time[round(at_s / width)] += by
    corners, value = [(0.0, 0)], 0
    for place, by in sorted(by_time.items()):
        corners += [(place * width, value), (place * width, value + by)]
        value += by
    return [*corners, (end_s, value)]


def _measured(values: list[GateReading], at: datetime) -> Before:
    title, unit = said(title_of(values[-1].metric)), numbers.unit_of(values[-1].metric)
    start = values[0].at
    points = [PlotPoint((r.at - start).total_seconds(), r.value) for r in values]
    earlier = [r for r in values if r.at <= at] or values[:1]
    peak = max((r.value or 0.0 for r in values), default=0.0)
    texts = [numbers.amount(v, unit) for v in (earlier[0].value, peak, values[-1].value)]
    label = _("%(title)s was %(first)s, at most %(peak)s, and is %(last)s") % {
        "title": title,
        "first": texts[0],
        "peak": texts[1],
        "last": texts[2],
    }
    mark = (at - start).total_seconds()
    return Before(title, " → ".join(texts), plots.sparkline(points, None, label, mark_s=mark))
