"""Live fragments of the overview. See `console/pages/frame/fragments.py`."""

from __future__ import annotations

from datetime import UTC, datetime

from console.pages.fleet.view import Overview
from console.pages.frame.fragments import Update, joined, render


def fleet(view: Overview, now: datetime) -> Update:
    """Return the leaves of the overview: totals, statuses, versions, regions."""
    base: dict[str, object] = {"fleet": view, "seq": view.seq, "zone": UTC, "now": now}
    parts = [render("fleet/_total.html", base), render("fleet/_bar.html", base)]
    parts += [
        render("fleet/_status_count.html", {**base, "status": status}) for status in view.statuses
    ]
    return Update(joined(parts), view.seq)
