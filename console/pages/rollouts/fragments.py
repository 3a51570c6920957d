"""Live fragments of one rollout's page. See `console/pages/frame/fragments.py`."""

from __future__ import annotations

from datetime import UTC

from console.lib.database.snapshot import snapshot
from console.pages.frame.fragments import Update, joined, render
from console.pages.rollouts import page as rollout_page
from console.pages.rollouts import targets
from rollouts.models import Rollout

# Regions of the page that know no viewer: each is a template whose root has an id and `data-seq`.
REGIONS = (
    "rollouts/_pill.html",
    "rollouts/_by.html",
    "rollouts/_way_back.html",
    "rollouts/_phases.html",
    "rollouts/_why.html",
    "rollouts/_incomplete.html",
    "rollouts/_errors.html",
    "rollouts/gates/_gates.html",
    "rollouts/agents/_legend.html",
    "rollouts/agents/_cells.html",
    "rollouts/_events.html",
)


def rollout(rollout_id: int) -> tuple[Rollout, Update] | None:
    """Return a rollout and its regions, read from one state of the database; None if it is gone."""
    with snapshot() as at:
        found = Rollout.objects.for_detail().filter(pk=rollout_id).first()
        if found is None:
            return None
        view = rollout_page.read(found, at)
        agents = rollout_page.agents_of(found)
    context: dict[str, object] = {
        "rollout": found,
        "view": view,
        "agents": agents,
        "cells": targets.run_lengths(agents.cells),
        "seq": view.seq,
        "zone": UTC,
        "now": at,
    }
    return found, Update(joined(render(name, context) for name in REGIONS), view.seq)
