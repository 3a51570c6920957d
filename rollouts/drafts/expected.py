"""How long a rollout takes when nothing stands in its way: the time its plan observes. Pure.

Sending adds some seconds a phase, failures and missing data hold; so it is the least that can be
expected, and said as "about".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollouts.plans.plan import Plan

SENDING_S = 5.0  # of one phase: offered, applied and confirmed


@dataclass(frozen=True, slots=True)
class Spell:
    """Time that passes by itself; `asks` says whether a person is asked before it begins."""

    seconds: float
    asks: bool = False


def stretches(
    plan: Plan, members: Mapping[str, int], *, after: str = "", rest: int = 0
) -> list[Spell]:
    """Return the times from the start, or from the phase `after` (an approval of it), to the end.

    `members` are how many agents each phase adds, by its name: an empty one passes at once. `rest`
    agents follow as a last wave.
    """
    names = [phase.name for phase in plan.phases]
    first = names.index(after) if after in names else 0
    found: list[Spell] = []
    for phase in plan.phases[first:]:
        is_asked = phase.is_manual and phase.name != after
        takes = phase.duration_s + SENDING_S if members.get(phase.name) else 0.0
        if is_asked or not found:
            found.append(Spell(takes, asks=is_asked))
        else:
            found[-1] = Spell(found[-1].seconds + takes, found[-1].asks)
    tail = plan.bake_s + (plan.phases[-1].duration_s + SENDING_S if rest else 0.0)
    found[-1] = Spell(found[-1].seconds + tail, found[-1].asks)
    return found


def total(parts: Sequence[Spell]) -> float:
    """Return the seconds of all of them."""
    return sum(part.seconds for part in parts)
