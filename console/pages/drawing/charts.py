"""Charts as server-made SVG: pure functions from numbers to markup (ui.md sections 4, 7).

Attributes only, no style; colour, size and pattern come from the stylesheet. Each picture carries
`role="img"` and a sentence. Nothing but numbers and that escaped sentence reaches the markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# Fill class of each kind of part of a bar.
FILLS = {
    "ok": "f-ok",
    "warn": "f-warn",
    "bad": "f-bad",
    "run": "f-run",
    "wait": "f-wait",
    "off": "f-off",
    "applied": "f-ok",
    "returned": "f-hatch-ok",
    "failed_back": "f-hatch-bad",
    "failed": "f-bad",
    "timed_out": "f-bad",
    "fell_back": "f-bad",
    "lost": "f-bad",
    "applying": "f-hatch-run",
    "coming_back": "f-hatch-back",
    "queued": "f-hatch-wait",
    "offline": "f-hatch-off",
    "todo": "f-none",
}


@dataclass(frozen=True, slots=True)
class BarPart:
    """One part of a stacked bar: a key of FILLS and how many it stands for."""

    kind: str
    count: float


def _round(value: float) -> str:
    """Format a coordinate: two decimals, no trailing zeros, so pages stay small."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def stacked_bar(
    parts: Sequence[BarPart], total: float, label: str, *, css: str = "", offset: float = 0
) -> SafeString:
    """Draw parts of `total` side by side, starting `offset` from the left.

    The rest up to `total` stays the bar's own ground. Parts of zero are left out.
    """
    rects = []
    x = 100 * offset / total if total else 0.0
    for part in parts:
        if not total or part.count <= 0:
            continue
        width = min(100 * part.count / total, 100 - x)
        rects.append((FILLS[part.kind], _round(x), _round(width)))
        x += width
    inner = format_html_join(
        "", '<rect class="{}" x="{}%" width="{}%" height="100%"/>', (r for r in rects)
    )
    return format_html(
        '<svg class="bar{}" width="100%" height="8" role="img" aria-label="{}">{}</svg>',
        f" {css}" if css else "",
        label,
        inner,
    )


def key(kind: str) -> SafeString:
    """Draw the 12 px key of one kind for a legend: the grid's own cell (components/patterns.html)."""
    return format_html(
        '<svg class="key" viewBox="0 0 11 11" width="12" height="12" aria-hidden="true">'
        '<use href="#c-{}"/></svg>',
        kind,
    )


def reading_key(kind: str) -> SafeString:
    """Draw the key of one kind of mark in a chart of readings (components/patterns.html)."""
    return format_html(
        '<svg class="key" viewBox="-6 -6 12 12" width="12" height="12" aria-hidden="true">'
        '<use href="#p-{}"/></svg>',
        kind,
    )
