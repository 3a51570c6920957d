"""Counts of targets per phase, recomputed only for phases in which something changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from rollouts.engine.facts import Counts
from rollouts.models import Phase
from rollouts.sql.counts import count_sick, count_targets


def recount(phases: Iterable[Phase], now: datetime) -> None:
    """Count the targets of these phases again and keep what changed. One query for all."""
    wanted = {phase.pk: phase for phase in phases}
    if not wanted:
        return
    found = count_targets({pk: _grace_s(phase) for pk, phase in wanted.items()}, now)
    for pk, phase in wanted.items():
        counts = found.get(pk) or asdict(Counts())
        if counts != phase.counts:
            phase.counts = counts
            phase.save(update_fields=["counts"])


def recount_sick(phases: Sequence[Phase], now: datetime) -> None:
    """Let bad health begin and cease to count where time alone decides it.

    Asked on every look, by a small partial index, but only of phases that have somebody in the grace
    time, or somebody who is mending.
    """
    for phase in phases:
        counts = Counts.from_dict(phase.counts)
        if not counts.unsure and not counts.mending:
            continue
        unhealthy, mending = count_sick(phase.pk, _grace_s(phase), now)
        if (unhealthy, mending) != (counts.unhealthy, counts.mending):
            phase.counts = {**phase.counts, "unhealthy": unhealthy, "mending": mending}
            phase.save(update_fields=["counts"])


def _grace_s(phase: Phase) -> float:
    return float(phase.spec["pace"]["health_grace_s"])
