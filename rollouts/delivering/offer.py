"""Offers the version to the next targets of a phase, in line, within what may be in flight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.actions.set_desired import set_desired
from console.lib.texts import Text, text
from rollouts.delivering import targets
from rollouts.limits.budget import lease, release
from rollouts.models import Phase, Rollout, Target


@dataclass(frozen=True, slots=True)
class Offered:
    """How many targets were offered the version, and what held others back (a sentence part)."""

    count: int = 0
    held_by: Text | str = ""


def offer(rollout: Rollout, phases: Sequence[Phase], limit: int, now: datetime) -> Offered:
    """Offer to at most `limit` online, waiting targets of these phases, in order.

    The caller holds the rollout's lock; takes budgets, then the push lock.
    """
    if limit <= 0 or not phases:
        return Offered()
    ids: list[int] = []
    for phase in sorted(phases, key=lambda phase: phase.index):
        ids += _line(phase, limit - len(ids))
    leased = lease(ids, rollout.topic, now)
    if not leased.allowed:
        return Offered(0, leased.note)
    result = set_desired(
        wants=dict.fromkeys(leased.allowed, rollout.version.config_hash),
        cause=rollout.topic,
        topic=rollout.topic,
        now=now,
    )
    targets.offer(rollout, result.offered, now)
    targets.find(rollout, result.already_running, now)
    targets.skip(rollout, result.quarantined, text("target.quarantined"))
    settled = [*result.already_running, *result.quarantined]
    if settled:
        release(rollout.topic, settled)
    return Offered(len(leased.allowed), leased.note)


def _line(phase: Phase, limit: int) -> Iterable[int]:
    """Return who is next in one phase."""
    line = Target.objects.filter(
        phase=phase, state="waiting", online=True, active=True, agent__status__connected=True
    ).order_by("position")
    return line.values_list("agent_id", flat=True)[:limit]
