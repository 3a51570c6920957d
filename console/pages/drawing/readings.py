"""The chart of a gate: its readings against the limit, beside those of agents that did not change.

Pure functions from numbers to markup, like `console.pages.drawing.charts`. Places are shares of the frame in per
cent, so that dots stay round and words stay words at every width; areas and lines, which have no such
places in SVG, lie in a frame of their own that is stretched. A line needs three readings: two are a
slope that nobody measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from console.pages.drawing.plots import Limit

MOST_DOTS = 48
FEWEST_FOR_A_LINE = 3
STEPS = 4
HEADROOM = 1.2
FLAT = 1e-9  # values that lie closer are one
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Span:
    """A value with the interval it lies in, where it is an estimate."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """One reading: seconds since the chart begins, `found` (None: no data), and what agents that do
    not change showed then. `at` is the machine-readable time, `says` the reading in words."""

    at_s: float
    found: Span | None
    control: Span | None = None
    is_bad: bool = False
    at: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True)
class PlotMark:
    """A moment that is marked: when something was decided (`decided`) or begun."""

    at_s: float
    label: str
    is_decision: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """The values at the foot and at the head of a chart, and of its lines from foot to head."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Return how far down a value lies, in per cent of the height; what lies outside, at the rim."""
        share = (value - self.low) / (self.high - self.low)
        return 100 * (1 - min(1.0, max(0.0, share)))


def scale_of(dots: Sequence[Dot], limit: Limit | None, most: float | None = None) -> Scale:
    """Return a scale with round numbers that holds every reading, its interval and the limit.

    `most` is the largest value there can be (1 for a share): no line is drawn beyond it.
    """
    found = [0.0]
    for span in (span for dot in dots for span in (dot.found, dot.control) if span is not None):
        found += [v for v in (span.value, span.low, span.high) if v is not None]
    if limit is not None:
        found.append(limit.value * HEADROOM)
    if most is not None:
        found = [min(value, most) for value in found]
    low, high = min(found), max(found)
    if high - low < FLAT:
        high = low + (most or 1.0)
    step = _step((high - low) / STEPS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(n * step, 12) for n in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def _step(rough: float) -> float:
    """Return the smallest round number that is not below `rough`: 1, 2, 2.5 or 5 and noughts."""
    size = 10.0 ** math.floor(math.log10(rough))
    return next(size * nice for nice in _NICE if size * nice >= rough * (1 - 1e-9))


def thinned(dots: Sequence[Dot], limit: Limit | None, most: int = MOST_DOTS) -> list[Dot]:
    """Return at most `most` dots: of neighbours the one nearest to what the limit forbids, which is a
    real reading and hides no breach. The first and the newest stay."""
    if len(dots) <= most:
        return list(dots)
    middle, room = dots[1:-1], most - 2
    size = len(middle) / room
    parts = (middle[round(n * size) : round((n + 1) * size)] for n in range(room))
    return [dots[0], *(max(part, key=_badness(limit)) for part in parts if part), dots[-1]]


def _badness(limit: Limit | None) -> Callable[[Dot], tuple[bool, float]]:
    sign = -1.0 if limit is not None and not limit.fails_above else 1.0

    def of(dot: Dot) -> tuple[bool, float]:
        return dot.is_bad, sign * dot.found.value if dot.found is not None else -math.inf

    return of


@dataclass(frozen=True, slots=True)
class PlotFrame:
    """Where a chart lies in time and value."""

    scale: Scale
    span_s: float

    def x(self, at_s: float) -> float:
        return 100 * min(1.0, max(0.0, at_s / self.span_s))

    def y(self, value: float) -> float:
        return self.scale.place(value)


def chart(
    dots: Sequence[Dot],
    frame: PlotFrame,
    *,
    limit: Limit | None,
    limit_says: str,
    marks: Sequence[PlotMark] = (),
    label: str,
) -> SafeString:
    """Draw readings as dots, with a line and the bands of their intervals from the third on."""
    return format_html(
        '<svg class="readings" width="100%" height="160" role="img" aria-label="{}">{}{}{}{}{}</svg>',
        label,
        _ground(frame, limit),
        _bands(dots, frame),
        _marks(marks, frame),
        _dots(dots, frame),
        _limit_words(frame, limit, limit_says),
    )


def _ground(frame: PlotFrame, limit: Limit | None) -> SafeString:
    lines = format_html_join(
        "",
        '<line class="grid-l" x1="0" x2="100%" y1="{0}%" y2="{0}%"/>',
        ((_n(frame.y(tick)),) for tick in frame.scale.ticks),
    )
    if limit is None:
        return lines
    y = frame.y(limit.value)
    top, height = (0.0, y) if limit.fails_above else (y, 100 - y)
    return format_html(
        '<rect class="forbid" y="{}%" width="100%" height="{}%"/>{}'
        '<line class="limit" x1="0" x2="100%" y1="{}%" y2="{}%"/>',
        _n(top),
        _n(height),
        lines,
        _n(y),
        _n(y),
    )


def _limit_words(frame: PlotFrame, limit: Limit | None, says: str) -> SafeString | str:
    """Write the limit on its line: above it, or below where there is no room above."""
    if limit is None:
        return ""
    y = frame.y(limit.value)
    return format_html(
        '<text class="limit-t" x="100%" y="{}%" dx="-4" dy="{}" text-anchor="end">{}</text>',
        _n(y),
        "-5" if y > 15 else "15",
        says,
    )


def _bands(dots: Sequence[Dot], frame: PlotFrame) -> SafeString:
    """Draw line and interval of both groups in a frame that is stretched to the chart's size."""
    drawn = []
    for css, spans in (
        ("control", [(dot.at_s, dot.control) for dot in dots]),
        ("treated", [(dot.at_s, dot.found) for dot in dots]),
    ):
        for run in _runs(spans):
            band = _band(run, frame)
            if band:
                drawn.append(("band", css, band))
            drawn.append(("run", css, _path([(frame.x(at), frame.y(s.value)) for at, s in run])))
    paths = format_html_join("", '<path class="{} {}" d="{}"/>', drawn)
    return format_html(
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%">{}</svg>',
        paths,
    )


_Run = list[tuple[float, Span]]


def _runs(spans: Sequence[tuple[float, Span | None]]) -> list[_Run]:
    """Return the unbroken runs that are long enough for a line; no data breaks a run."""
    runs: list[_Run] = [[]]
    for at_s, span in spans:
        if span is None:
            runs.append([])
        else:
            runs[-1].append((at_s, span))
    return [run for run in runs if len(run) >= FEWEST_FOR_A_LINE]


def _band(run: _Run, frame: PlotFrame) -> str:
    known = [(at, s.low, s.high) for at, s in run if s.low is not None and s.high is not None]
    if len(known) < FEWEST_FOR_A_LINE:
        return ""
    upper = [(frame.x(at), frame.y(high)) for at, _, high in known]
    lower = [(frame.x(at), frame.y(low)) for at, low, _ in reversed(known)]
    return _path([*upper, *lower]) + "Z"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _marks(marks: Sequence[PlotMark], frame: PlotFrame) -> SafeString:
    drawn = []
    for mark in marks:
        x = frame.x(mark.at_s)
        is_right = x > 60
        drawn.append(
            (
                "decided" if mark.is_decision else "begun",
                _n(x),
                _n(x),
                "-5" if is_right else "5",
                "end" if is_right else "start",
                mark.label,
            )
        )
    return format_html_join(
        "",
        '<g class="moment {0}"><line x1="{1}%" x2="{2}%" y1="0" y2="100%"/>'
        '<text x="{1}%" y="100%" dx="{3}" dy="-5" text-anchor="{4}">{5}</text></g>',
        drawn,
    )


def _dots(dots: Sequence[Dot], frame: PlotFrame) -> SafeString:
    """Draw the dots of both groups; those of the agents that changed carry what is read of them."""
    others = format_html_join(
        "",
        '<use href="#p-control" x="{}%" y="{}%"/>',
        (
            (_n(frame.x(dot.at_s)), _n(frame.y(dot.control.value)))
            for dot in dots
            if dot.control is not None
        ),
    )
    own = format_html_join(
        "",
        '<use href="#p-{}" x="{}%" y="{}%" data-at="{}" data-says="{}"/>',
        (
            (
                "none" if dot.found is None else "bad" if dot.is_bad else "ok",
                _n(frame.x(dot.at_s)),
                _n(100.0 if dot.found is None else frame.y(dot.found.value)),
                dot.at,
                dot.says,
            )
            for dot in dots
        ),
    )
    return format_html("{}{}", others, own)


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
