"""What needs the reader: approvals to decide, agents that only a person can free."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.actor import Actor
from agents.models import Agent, AgentStatus
from console.pages.configs.names import ConfigName, names_of
from console.pages.frame import counts as navigation
from rollouts.models import Approval

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Wedged:
    """An agent that refuses everything since it met a config."""

    agent: Agent
    since: ConfigName


def approvals(actor: Actor) -> list[Approval]:
    """Return the approvals this person can decide, oldest first."""
    return list(navigation.waiting_for(actor).for_list().order_by("asked_at")[:SHOWN])


def wedged(actor: Actor) -> list[Wedged]:
    """Return agents whose stored config must be removed by hand, by name."""
    found = (
        AgentStatus.objects.exclude(wedged_since="")
        .filter(agent__in=Agent.objects.visible_to(actor).living())
        .select_related("agent")
        .order_by("agent__name", "agent_id")[:SHOWN]
    )
    rows = list(found)
    names = names_of(row.wedged_since for row in rows)
    return [Wedged(row.agent, names[row.wedged_since]) for row in rows]
