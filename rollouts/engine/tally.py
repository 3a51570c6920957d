"""What became of the agents of a phase, each kind counted apart. Pure.

A single number of those that "answered" hides how: of 20 agents that answered, 19 may have refused.
"""

from __future__ import annotations

from console.lib.texts import Text, text
from rollouts.engine.facts import Counts


def agents(count: int) -> Text:
    """Return "1 agent" or "1,204 agents"."""
    return text("tally.agents", count=count)


def failures(counts: Counts) -> list[Text]:
    """Return the agents that count as failed: "17 refused", "2 fell back by themselves"."""
    parts = (
        text("tally.refused", count=counts.refused),
        text("tally.silent", count=counts.silent),
        text("tally.fell_back", count=counts.fell_back),
        text("tally.lost", count=counts.lost),
        text("tally.unhealthy", count=counts.unhealthy),
    )
    return [part for part in parts if part.params["count"]]


def not_on_new(counts: Counts) -> list[Text]:
    """Return everybody who got the version, or waits for it, and does not run it now."""
    others = (
        text("tally.not_answered", count=counts.outstanding),
        text("tally.gone", count=counts.gone),
        text("tally.offline", count=counts.offline - counts.away),
    )
    return [*failures(counts), *(part for part in others if part.params["count"] > 0)]


def total(all_counts: list[Counts]) -> Counts:
    """Return the counts of several phases together."""
    names = Counts.__slots__
    return Counts(**{name: sum(getattr(one, name) for one in all_counts) for name in names})
