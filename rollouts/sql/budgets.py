"""What budgets ask of agents: their value of the label, who uses it up, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

_VALUES = """
    SELECT id, labels ->> %(label)s FROM agents_agent
    WHERE id = ANY(%(ids)s) AND labels ? %(label)s
"""
_COUNTED = """
    SELECT agent_id FROM agents_agentstatus
    WHERE agent_id = ANY(%(ids)s) AND connected AND healthy IS FALSE
    UNION SELECT agent_id FROM rollouts_budgetlease
    WHERE agent_id = ANY(%(ids)s) AND budget_id = %(budget)s
"""
_USED = """
    SELECT a.labels ->> %(label)s, count(*),
           count(*) FILTER (WHERE l.id IS NOT NULL
                               OR (%(sick)s AND s.connected AND s.healthy IS FALSE))
    FROM agents_agent a
    LEFT JOIN agents_agentstatus s ON s.agent_id = a.id
    LEFT JOIN rollouts_budgetlease l ON l.agent_id = a.id AND l.budget_id = %(budget)s
    WHERE a.labels ->> %(label)s = ANY(%(values)s) AND a.retired_at IS NULL
    GROUP BY 1
"""


def label_values(label: str, agent_ids: Sequence[int]) -> dict[int, str]:
    """Return the value of the label for those agents that have it."""
    with connection.cursor() as cursor:
        cursor.execute(_VALUES, {"label": label, "ids": list(agent_ids)})
        return dict(cursor.fetchall())


def counted(budget: int, agent_ids: Sequence[int]) -> set[int]:
    """Return those agents that use the budget already: to change them takes no more of it."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"ids": list(agent_ids), "budget": budget})
        return {row[0] for row in cursor.fetchall()}


def used(
    budget: int, label: str, values: Sequence[str], count_unhealthy: bool
) -> list[tuple[str, int, int]]:
    """Return for each value of the label how many agents have it, and how many of them use the
    budget: they hold a lease, or are unhealthy if those count."""
    asked: dict[str, Any] = {
        "budget": budget,
        "label": label,
        "values": list(values),
        "sick": count_unhealthy,
    }
    with connection.cursor() as cursor:
        cursor.execute(_USED, asked)
        return [(value, agents, taken) for value, agents, taken in cursor.fetchall()]
