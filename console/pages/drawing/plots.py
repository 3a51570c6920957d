"""Line charts as server-made SVG: the sparkline of a gate and the recovery curve of a rollback.

Pure functions from readings to markup, like `console.pages.drawing.charts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

WIDTH = 240
HEIGHT = 56


@dataclass(frozen=True, slots=True)
class Limit:
    """A gate's limit: `fails_above` tells on which side the forbidden area lies."""

    value: float
    fails_above: bool = True


@dataclass(frozen=True, slots=True)
class PlotPoint:
    """One point: seconds since the start of the window, and the value or None for no data."""

    at_s: float
    value: float | None


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def _scale(readings: Sequence[PlotPoint], limit: Limit | None) -> tuple[float, float]:
    """Return the lowest and highest value to draw, with room above so that nothing touches."""
    values = [r.value for r in readings if r.value is not None]
    if limit is not None:
        values.append(limit.value)
    low = min([0.0, *values])
    high = max([*values, low])
    if high <= low:
        return low, low + 1.0
    return low, high + (high - low) * 0.25


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    """Return an SVG path through the points; a gap (None) lifts the pen."""
    steps = []
    down = False
    for x, y in points:
        if y is None:
            down = False
            continue
        steps.append(f"{'L' if down else 'M'}{_number(x)} {_number(y)}")
        down = True
    return "".join(steps) or "M0 0"


def sparkline(
    readings: Sequence[PlotPoint],
    limit: Limit | None,
    label: str,
    *,
    window_s: float | None = None,
    mark_s: float | None = None,
) -> SafeString:
    """Draw readings over their window with the forbidden area tinted and the limit dashed.

    `mark_s` draws an upright line at one moment, such as the decision to roll back.
    """
    low, high = _scale(readings, limit)
    span = window_s or (readings[-1].at_s if readings else 0.0) or 1.0

    def y_of(value: float) -> float:
        return HEIGHT - (value - low) / (high - low) * HEIGHT

    points = [
        (min(r.at_s / span, 1.0) * WIDTH, None if r.value is None else y_of(r.value))
        for r in readings
    ]
    dots = [(x, y) for x, y in points if y is not None]
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" width="{}" height="{}" '
        'role="img" aria-label="{}">{}{}<path class="ln" d="{}"/>{}</svg>',
        WIDTH,
        HEIGHT,
        WIDTH,
        HEIGHT,
        label,
        _limit_marks(limit, y_of(limit.value)) if limit is not None else "",
        _mark(mark_s / span * WIDTH) if mark_s is not None and 0 <= mark_s <= span else "",
        _path(points),
        _end_dot(*dots[-1]) if dots else "",
    )


def _limit_marks(limit: Limit, y: float) -> SafeString:
    top, height = (0.0, y) if limit.fails_above else (y, HEIGHT - y)
    return format_html(
        '<rect class="forbid" y="{}" width="{}" height="{}"/>'
        '<line class="limit" x1="0" x2="{}" y1="{}" y2="{}"/>',
        _number(top),
        WIDTH,
        _number(height),
        WIDTH,
        _number(y),
        _number(y),
    )


def _mark(x: float) -> SafeString:
    return format_html(
        '<line class="mark" x1="{}" x2="{}" y1="0" y2="{}"/>', _number(x), _number(x), HEIGHT
    )


def _end_dot(x: float, y: float) -> SafeString:
    return format_html('<path class="end-dot" d="M{} {}h0"/>', _number(x), _number(y))


def step_curve(
    steps: Sequence[tuple[float, float]], *, end_s: float, goal_s: float | None, label: str
) -> SafeString:
    """Draw a share (0 to 1) that rises in steps over seconds: how agents came back.

    `steps` are (seconds since the decision, share from then on), in time order.
    """
    width, height = 800, 160
    end = end_s or 1.0

    def xy(at_s: float, share: float) -> tuple[float, float]:
        return min(at_s / end, 1.0) * width, height - share * (height - 4)

    line = "M0 " + _number(height)
    for at_s, share in steps:
        x, y = xy(at_s, share)
        line += f"H{_number(x)}V{_number(y)}"
    line += f"H{width}"
    grid = "".join(f"M0 {_number(xy(0, s)[1])}H{width}" for s in (0.25, 0.5, 0.75, 1.0))
    goal = ""
    if goal_s is not None and goal_s <= end:
        gx = _number(xy(goal_s, 0)[0])
        goal = format_html('<line class="goal" x1="{}" x2="{}" y1="0" y2="{}"/>', gx, gx, height)
    return format_html(
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" width="{}" height="{}" role="img" '
        'aria-label="{}"><path class="grid-l" d="{}"/><path class="area" d="{}V{}H0Z"/>'
        '{}<path class="ln strong" d="{}"/></svg>',
        width,
        height,
        width,
        height,
        label,
        grid,
        line,
        height,
        goal,
        line,
    )
