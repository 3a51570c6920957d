"""One result of preflight, and who may set it aside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agents.models import Agent
from console.lib.texts import Text
from rollouts.drafts.finding_agents import Concern
from rollouts.sql.eligible import MAX_SAMPLES

BLOCK, NOTE, OK = "block", "note", "ok"


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of preflight. `count` is how many agents it concerns, `samples` some names;
    `concern` is None when it is not about single agents. With `can_override` a person may start
    all the same, by the name `check` and with a reason; never what no agent can run, nor what an
    act of its own is for (lifting a quarantine)."""

    check: str
    level: str
    count: int
    text: Text
    samples: tuple[str, ...] = ()
    concern: Concern | None = None
    can_override: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "level": self.level,
            "count": self.count,
            "text": self.text.to_json(),
            "samples": list(self.samples),
            "about_agents": self.concern is not None,
            "can_override": self.can_override,
        }


def agents_with(field: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return some names of agents that have one of these values in a field."""
    found = Agent.objects.living().filter(**{f"{field}__in": list(values)}).order_by("name")
    return tuple(found.values_list("name", flat=True)[:MAX_SAMPLES])
