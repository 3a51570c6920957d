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
    names = ("_pill", "_connection", "_health", "_config", "_said")
    base = _context(view, now)
    return Update(joined(render(f"agents/{name}.html", base) for name in names), view.seq)


def rest(view: AgentView, now: datetime) -> str:
    """Return what else the pages of an agent say, of a view that was read for its summary. Nobody is
    sent it: when it is another one, the pages read themselves."""
    return render("agents/_rest.html", _context(view, now))


def _context(view: AgentView, now: datetime) -> dict[str, object]:
    agent = view.row.agent
    return {"agent": agent, "view": view, "seq": view.seq, "zone": UTC, "now": now}
