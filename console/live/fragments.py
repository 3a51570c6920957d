"""Live fragments: the leaves of a page as they are now, for everybody who looks at it.

Viewer-neutral (ui.md section 6): no buttons, no permissions, times in UTC for the browser to
write. Each root has the id it replaces and `data-seq`. The templates are the pages' own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.template.loader import render_to_string

from console.pages import rollout_page, targets
from console.pages.agent_page import AgentView
from console.pages.agent_rows import AgentRow
from console.pages.fleet_view import Fleet
from rollouts.models import Rollout


@dataclass(frozen=True, slots=True)
class Update:
    """What one topic sends: markup to swap by id, and the states of the grid's cells in order."""

    html: str = ""
    cells: list[str] = field(default_factory=list)


def _render(template: str, context: dict[str, object]) -> str:
    return render_to_string(template, context).strip()


def _joined(parts: Iterable[str]) -> str:
    return "\n".join(part for part in parts if part)


def rollout(rollout: Rollout, now: datetime) -> Update:
    """Return the leaves of one rollout's page and the states of its grid cells."""
    view = rollout_page.read(rollout, now)
    agents = rollout_page.agents_of(rollout)
    base: dict[str, object] = {
        "rollout": rollout,
        "view": view,
        "seq": view.seq,
        "zone": UTC,
        "now": now,
    }
    parts = [
        _render("rollouts/_pill.html", base),
        _render("rollouts/_why.html", {**base, "why": view.why}),
        _render("rollouts/_way_back.html", {**base, "way_back": view.way_back}),
        _render(
            "rollouts/_gates_summary.html",
            {**base, "summary": view.gates_summary, "has_tiles": view.tiles},
        ),
        _render("rollouts/_failed.html", {**base, "failed": agents.failed}),
        _render("rollouts/_events.html", {**base, "events": view.events}),
    ]
    parts += [_render("rollouts/_phase.html", {**base, "phase": phase}) for phase in view.phases]
    parts += [_render("rollouts/_gate.html", {**base, "tile": tile}) for tile in view.criteria]
    parts += [_render("rollouts/_guard.html", {**base, "tile": tile}) for tile in view.guards]
    parts += [_render("rollouts/_sentence.html", {**base, "tile": tile}) for tile in view.tiles]
    parts += [
        _render("rollouts/_legend_count.html", {**base, "entry": entry}) for entry in agents.legend
    ]
    return Update(_joined(parts), cells=agents.cells)


def sync(update: Update, rollout: Rollout, now: datetime) -> str:
    """Return the fragments for one page that lost the feed for a while, with all grid cells."""
    context: dict[str, object] = {
        "rollout": rollout,
        "cells": targets.run_lengths(update.cells),
        "seq": int(now.timestamp() * 1000),
    }
    return _joined([update.html, _render("rollouts/_cells.html", context)])


def agent_cells(rows: Iterable[AgentRow], now: datetime) -> Update:
    """Return the live cells of some rows of the agents list."""
    base: dict[str, object] = {"seq": int(now.timestamp() * 1000), "zone": UTC, "now": now}
    return Update(_joined(_render("agents/_cells.html", {**base, "row": row}) for row in rows))


def agent(view: AgentView, now: datetime) -> Update:
    """Return the leaves of one agent's page."""
    base: dict[str, object] = {
        "agent": view.row.agent,
        "view": view,
        "seq": view.seq,
        "zone": UTC,
        "now": now,
    }
    names = ("_pill", "_connection", "_health", "_config")
    return Update(_joined(_render(f"agents/{name}.html", base) for name in names))


def fleet(view: Fleet, now: datetime) -> Update:
    """Return the leaves of the overview: totals, statuses, versions, regions."""
    base: dict[str, object] = {"fleet": view, "seq": view.seq, "zone": UTC, "now": now}
    parts = [_render("fleet/_total.html", base), _render("fleet/_bar.html", base)]
    parts += [
        _render("fleet/_status_count.html", {**base, "status": status}) for status in view.statuses
    ]
    return Update(_joined(parts))
