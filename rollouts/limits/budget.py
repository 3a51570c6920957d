"""Blast-radius budgets: how many agents with the same label value change or are unhealthy at once,
over all rollouts and rollbacks (spec section 4).

Room is given out as leases under the budget row's lock, so that two ticks never spend the same
room. A lease lasts from the offer until the agent has settled. Rollbacks take leases too, so that
rollouts see them, but an immediate rollback is never held back by a budget.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.lib.sql import among
from console.lib.texts import Text, text
from rollouts.models import Budget, BudgetLease, Target
from rollouts.sql import budgets as sql


@dataclass(frozen=True, slots=True)
class Leased:
    """Which of the asked agents may change now, in their order, and which budget held others."""

    allowed: list[int]
    held: int = 0
    note: Text | str = ""


def lease(
    agent_ids: Sequence[int],
    topic: str,
    now: datetime,
    *,
    force: bool = False,
    healing: bool = False,
) -> Leased:
    """Take a lease for each agent under each budget, as far as there is room.

    `force` takes them all and only counts (immediate rollbacks). `healing` does not count the
    unhealthy (gradual ones): a way back must not wait for the health that it brings. Locks budgets
    by primary key.
    """
    budgets = list(Budget.objects.select_for_update(of=("self",), no_key=True).order_by("pk"))
    if not budgets or not agent_ids:
        return Leased(list(agent_ids))
    allowed, notes = list(agent_ids), []
    values: dict[int, dict[int, str]] = {}
    for budget in budgets:
        values[budget.pk] = sql.label_values(budget.label, allowed)
        if force:
            continue
        room = _room(budget, values[budget.pk], count_unhealthy=not healing)
        counted = sql.counted(budget.pk, allowed)
        kept = []
        for agent_id in allowed:
            value = values[budget.pk].get(agent_id)
            if value is None or agent_id in counted:
                kept.append(agent_id)
            elif room.get(value, 0) > 0:
                room[value] -= 1
                kept.append(agent_id)
            elif f"{budget.label}={value}" not in notes:
                notes.append(f"{budget.label}={value}")
        allowed = kept
    _keep(budgets, values, allowed, topic, now)
    held = len(agent_ids) - len(allowed)
    note = text("budget.of", budgets=notes[:3]) if held else ""
    return Leased(allowed, held, note)


def release_settled(rollout_id: int, topic: str) -> int:
    """Give back the leases of targets that have settled: their word came, or its time ended.

    An agent that failed or is unhealthy still counts, as unhealthy, while it is. One table at a
    time: of leases, which come and go, PostgreSQL may believe that there are none.
    """
    leases = BudgetLease.objects.filter(topic=topic).values_list("agent_id", flat=True).distinct()
    settled = Target.objects.filter(among("agent_id", leases), rollout_id=rollout_id)
    return release(topic, list(settled.exclude(state="offered").values_list("agent_id", flat=True)))


def release(topic: str, agent_ids: Sequence[int] | None = None) -> int:
    """Give back the leases of a topic, or only of these agents."""
    leases = BudgetLease.objects.filter(topic=topic)
    if agent_ids is not None:
        leases = leases.filter(among("agent_id", agent_ids))
    return leases.delete()[0]


def _room(budget: Budget, values: dict[int, str], *, count_unhealthy: bool) -> dict[str, int]:
    """Return how many more agents of each value may change: limit less leased less unhealthy."""
    room = {}
    asked = sorted(set(values.values()))
    for value, agents, used in sql.used(budget.pk, budget.label, asked, count_unhealthy):
        limits = [float(agents)]
        if budget.max_agents is not None:
            limits.append(budget.max_agents)
        if budget.max_share is not None:
            limits.append(math.ceil(round(budget.max_share * agents, 6)))
        room[value] = max(0, int(min(limits)) - used)
    return room


def _keep(
    budgets: Sequence[Budget],
    values: dict[int, dict[int, str]],
    allowed: Sequence[int],
    topic: str,
    now: datetime,
) -> None:
    """Write the leases; one that the agent holds already passes to the new topic."""
    rows = [
        BudgetLease(
            budget=budget, agent_id=agent_id, value=values[budget.pk][agent_id], topic=topic, at=now
        )
        for budget in budgets
        for agent_id in allowed
        if agent_id in values[budget.pk]
    ]
    BudgetLease.objects.bulk_create(
        rows,
        batch_size=5000,
        update_conflicts=True,
        unique_fields=["budget", "agent_id"],
        update_fields=["topic", "at", "value"],
    )
