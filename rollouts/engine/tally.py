"""What became of the agents of a phase, each kind counted apart, in words. Pure.

A single number of those that "answered" hides how: of 20 agents that answered, 19 may have refused.
"""

from __future__ import annotations

from rollouts.engine.facts import Counts


def agents(count: int) -> str:
    """Return "1 agent" or "1,204 agents"."""
    return f"{count:,} agent" if count == 1 else f"{count:,} agents"


def failures(counts: Counts) -> str:
    """Return the agents that count as failed: "17 refused, 2 fell back by themselves"; "" for none."""
    fell_back = "fell back by itself" if counts.fell_back == 1 else "fell back by themselves"
    parts = (
        (counts.refused, "refused"),
        (counts.silent, "did not answer in time"),
        (counts.fell_back, fell_back),
        (counts.lost, "lost since the change"),
        (counts.unhealthy, "unhealthy"),
    )
    return ", ".join(f"{number:,} {words}" for number, words in parts if number)


def not_on_new(counts: Counts) -> str:
    """Return everybody who got the version, or waits for it, and does not run it now."""
    parts = (
        (counts.outstanding, "not answered yet"),
        (counts.gone, "not heard of now"),
        (counts.offline - counts.away, "offline"),
    )
    others = [f"{number:,} {words}" for number, words in parts if number > 0]
    return ", ".join(filter(None, [failures(counts), *others]))


def total(all_counts: list[Counts]) -> Counts:
    """Return the counts of several phases together."""
    names = Counts.__slots__
    return Counts(**{name: sum(getattr(one, name) for one in all_counts) for name in names})
