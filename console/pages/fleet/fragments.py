"""Live fragments of the overview. See `console/pages/frame/fragments.py`."""

from __future__ import annotations

from datetime import UTC, datetime

from console.pages.fleet.view import Overview
from console.pages.frame.fragments import Update, joined, render

LEAVES = ("_total", "_bar", "_health", "_uses")


def fleet(view: Overview, now: datetime) -> Update:
    """Return the leaves of the overview: totals, statuses with their change, the chart, configs in use.

    Versions and regions follow as the page reads itself, when a leaf says something else.
    """
    base: dict[str, object] = {"fleet": view, "seq": view.seq, "zone": UTC, "now": now}
    parts = [render(f"fleet/{leaf}.html", base) for leaf in LEAVES]
    parts += [
        render("fleet/_status_count.html", {**base, "status": status}) for status in view.statuses
    ]
    return Update(joined(parts), view.seq)
