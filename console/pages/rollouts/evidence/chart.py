"""A gate's readings as a chart with its words: scale, limit, comparison, marked moments. Pure.

A value that was compared with a control group is a difference, so what the control group did is its nought:
the group is drawn around nought, as wide as its own interval, and said in words with its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.lib.quantities import Unit
from console.lib.texts import said
from console.pages.drawing import readings as drawing
from console.pages.drawing.plots import Limit
from console.pages.drawing.readings import Dot, PlotFrame, PlotMark, Span
from console.pages.rollouts.evidence.rows import GateReading
from console.words import numbers, times
from console.words.plain import NO_VALUE
from rollouts.engine.facts import GateFacts, GateKind
from rollouts.plans.metrics import Compare

BELOW = frozenset({">", ">=", "below"})

A_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class GateChart:
    """A chart ready to be shown. `ticks` stand beside its lines from head to foot, `moments` under its
    start, middle and end; `group` says who the readings are compared with, `note` what the picture
    leaves out. `newest` is the last reading in words."""

    svg: SafeString
    ticks: list[str]
    moments: list[datetime]
    moment_style: str
    group: str
    note: str
    newest: str
    has_control: bool
    has_band: bool
    has_gaps: bool


@dataclass(frozen=True, slots=True)
class ChartMoment:
    """A moment of the phase or rollout that charts mark."""

    at: datetime
    label: str
    is_decision: bool = False


def fails_above(gate: GateFacts) -> bool:
    """Tell on which side of the limit the forbidden area lies."""
    return str(gate.operator or "") not in BELOW


def chart_of(
    gate: GateFacts,
    readings: Sequence[GateReading],
    since: datetime,
    until: datetime,
    moments: Sequence[ChartMoment] = (),
) -> GateChart | None:
    """Return the chart of a gate over a window, None while nobody has read anything."""
    if not readings:
        return None
    limit = Limit(gate.limit, fails_above(gate)) if gate.limit is not None else None
    start = min(since, readings[0].at)
    all_dots = [_dot(gate, reading, start) for reading in readings]
    dots = drawing.thinned(all_dots, limit)
    is_condition = gate.kind is GateKind.TRIGGER
    most = 1.0 if (gate.unit == Unit.FRACTION and _is_share(dots)) or is_condition else None
    scale = drawing.scale_of(dots, limit, most)
    span_s = max((until - start).total_seconds(), all_dots[-1].at_s, 1.0)
    marks = [
        PlotMark((one.at - start).total_seconds(), one.label, one.is_decision)
        for one in moments
        if start <= one.at <= until + timedelta(seconds=1)
    ]
    return GateChart(
        svg=drawing.chart(
            dots,
            PlotFrame(scale, span_s),
            limit=limit,
            limit_says=_("limit %(limit)s") % {"limit": numbers.amount(gate.limit, gate.unit)},
            marks=marks,
            label=_label(gate, readings),
        ),
        ticks=_ticks(scale, gate),
        moments=[start, start + timedelta(seconds=span_s / 2), start + timedelta(seconds=span_s)],
        moment_style="clock" if span_s < A_DAY_S else "short",
        group=group_of(gate, readings),
        note=_note(len(all_dots), len(dots)),
        newest=says_of(gate, readings[-1]),
        has_control=any(dot.control is not None for dot in dots),
        has_band=sum(1 for d in dots if d.found is not None and d.found.low is not None) > 2,
        has_gaps=any(dot.found is None for dot in dots),
    )


def _is_share(dots: Sequence[Dot]) -> bool:
    """Whether no value lies above 1: a share ends there, a growth ("+120 %") does not."""
    return all(dot.found is None or dot.found.value <= 1 for dot in dots)


def _ticks(scale: drawing.Scale, gate: GateFacts) -> list[str]:
    if gate.kind is GateKind.TRIGGER:
        return [_("true"), _("false")]
    return [numbers.amount(tick, gate.unit) for tick in reversed(scale.ticks)]


def _dot(gate: GateFacts, reading: GateReading, start: datetime) -> Dot:
    return Dot(
        at_s=(reading.at - start).total_seconds(),
        found=reading.span,
        control=shown_control(reading),
        is_bad=reading.is_bad,
        at=times.stamp(reading.at),
        says=says_of(gate, reading),
    )


def shown_control(reading: GateReading) -> Span | None:
    """Return the control group on the chart's scale: where the value is a difference from it, it is
    moved to nought."""
    control = reading.control
    if control is None or reading.compare != Compare.CONTROL:
        return control
    shift = control.value
    ends = (None if end is None else end - shift for end in (control.low, control.high))
    low, high = ends
    return replace(control, value=0.0, low=low, high=high)


def says_of(gate: GateFacts, reading: GateReading) -> str:
    """Say one reading: "95 % (90 % to 99 %) of 20 agents; 180 others: 0 %"."""
    found = reading.span
    if found is None:
        return _("no data: %(why)s") % {"why": reading.note} if reading.note else _("no data")
    if gate.kind is GateKind.TRIGGER:
        return _("the condition is true") if reading.is_bad else _("the condition is not true")
    said = numbers.amount(found.value, gate.unit)
    if found.low is not None and found.high is not None:
        said += " " + _("(%(low)s to %(high)s)") % {
            "low": numbers.amount(found.low, gate.unit),
            "high": numbers.amount(found.high, gate.unit),
        }
    said += " · " + _agents(reading.agents)
    if reading.control is not None:
        said += " · " + control_says(gate, reading)
    return said


def control_says(gate: GateFacts, reading: GateReading) -> str:
    """Say what the control group showed: "not changed: 0 %, 180 agents"."""
    value = numbers.amount(reading.control.value if reading.control else None, gate.unit)
    return _("not changed: %(value)s, %(agents)s") % {
        "value": value,
        "agents": _agents(reading.control_agents),
    }


def _agents(count: int) -> str:
    return ngettext("%(n)d agent", "%(n)d agents", count) % {"n": count}


def group_of(gate: GateFacts, readings: Sequence[GateReading]) -> str:
    """Say in words whom the agents with the version are compared with."""
    newest = next((r for r in reversed(readings) if r.span is not None), None)
    if newest is None or gate.kind is GateKind.TRIGGER:
        return ""
    if newest.control is not None:
        value = numbers.amount(newest.control.value, gate.unit)
        names = {"n": newest.control_agents, "value": value}
        if newest.compare == Compare.CONTROL:
            return ngettext(
                "Compared with %(n)d agent that does not change now: %(value)s by itself.",
                "Compared with %(n)d agents that do not change now: %(value)s by themselves.",
                newest.control_agents,
            ) % (names)
        return ngettext(
            "Beside it %(n)d agent that does not change now: %(value)s.",
            "Beside it %(n)d agents that do not change now: %(value)s.",
            newest.control_agents,
        ) % (names)
    if newest.compare == Compare.BEFORE:
        return _("Compared with the same agents before the change.")
    return _("The value itself is judged, compared with nobody.")


def _label(gate: GateFacts, readings: Sequence[GateReading]) -> str:
    """Say what the picture shows."""
    values = [r.span.value for r in readings if r.span is not None]
    if not values:
        return _("%(title)s: no reading has data yet") % {"title": said(gate.title)}
    limit = numbers.amount(gate.limit, gate.unit) if gate.limit is not None else NO_VALUE
    return _(
        "%(title)s: %(low)s to %(high)s in %(n)d readings, newest %(last)s, limit %(limit)s"
    ) % {
        "title": said(gate.title),
        "low": numbers.amount(min(values), gate.unit),
        "high": numbers.amount(max(values), gate.unit),
        "n": len(values),
        "last": numbers.amount(values[-1], gate.unit),
        "limit": limit,
    }


def _note(taken: int, drawn: int) -> str:
    if taken == drawn:
        return ""
    return _("%(drawn)d of %(taken)d readings are drawn: of neighbours the worst one.") % {
        "drawn": drawn,
        "taken": taken,
    }
