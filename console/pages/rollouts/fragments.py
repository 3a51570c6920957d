"""Live fragments of one rollout's page. See `console/pages/frame/fragments.py`."""

from __future__ import annotations

from datetime import UTC, datetime

from console.pages.frame.fragments import Update, joined, render
from console.pages.rollouts import page as rollout_page
from console.pages.rollouts import targets
from rollouts.models import Rollout


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
        render("rollouts/_pill.html", base),
        render("rollouts/_why.html", {**base, "why": view.why}),
        render("rollouts/_way_back.html", {**base, "way_back": view.way_back}),
        render(
            "rollouts/gates/_summary.html",
            {**base, "summary": view.gates_summary, "has_tiles": view.tiles},
        ),
        render("rollouts/agents/_failed.html", {**base, "failed": agents.failed}),
        render("rollouts/_events.html", {**base, "events": view.events}),
    ]
    parts += [render("rollouts/_phase.html", {**base, "phase": phase}) for phase in view.phases]
    parts += [render("rollouts/gates/_gate.html", {**base, "tile": tile}) for tile in view.criteria]
    parts += [render("rollouts/gates/_guard.html", {**base, "tile": tile}) for tile in view.guards]
    parts += [
        render("rollouts/gates/_sentence.html", {**base, "tile": tile}) for tile in view.tiles
    ]
    parts += [
        render("rollouts/agents/_legend_count.html", {**base, "entry": entry})
        for entry in agents.legend
    ]
    return Update(joined(parts), cells=agents.cells)


def sync(update: Update, rollout: Rollout, now: datetime) -> str:
    """Return the fragments for one page that lost the feed for a while, with all grid cells."""
    context: dict[str, object] = {
        "rollout": rollout,
        "cells": targets.run_lengths(update.cells),
        "seq": int(now.timestamp() * 1000),
    }
    return joined([update.html, render("rollouts/agents/_cells.html", context)])
