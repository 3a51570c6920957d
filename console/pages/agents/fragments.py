"""Live fragments of the agents list and of one agent's page. See
`console/pages/frame/fragments.py`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from console.pages.agents.page import AgentView
from console.pages.agents.rows import AgentRow
from console.pages.frame.fragments import Update, joined, render, seq_of


def agent_cells(rows: Iterable[AgentRow], now: datetime) -> Update:
    """Return the live cells of some rows of the agents list."""
    base: dict[str, object] = {"seq": seq_of(now), "zone": UTC, "now": now}
    return Update(joined(render("agents/table/_cells.html", {**base, "row": row}) for row in rows))


def agent(view: AgentView, now: datetime) -> Update:
    """Return the leaves of one agent's page."""
    base: dict[str, object] = {
        "agent": view.row.agent,
        "view": view,
        "seq": view.seq,
        "zone": UTC,
        "now": now,
    }
    names = ("_pill", "_connection", "_health", "_config", "_said")
    return Update(joined(render(f"agents/{name}.html", base) for name in names), view.seq)
