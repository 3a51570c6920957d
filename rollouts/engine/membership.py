"""Who is in which phase (spec section 4). Pure.

The order of agents comes from a stable hash of (rollout seed, uid), so that the preview is the
plan; PostgreSQL sorts by it (`rollouts.drafts.eligibility`). Agents that are away stand behind all
that are connected, and only the last wave reaches them: a canary is drawn from the living, and every
share is a share of agents that can be members of that phase.
"""

from __future__ import annotations

import hashlib
import math
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from console.lib.texts import Text, text


@dataclass(frozen=True, slots=True)
class PhaseShare:
    """What membership needs to know of a phase. `selector` "" is the rollout's own target."""

    name: str
    weight: float
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Lineup:
    """Eligible agents of one selector in rollout order: `connected` of them, then the away."""

    ids: Sequence[int]
    connected: int

    @property
    def present(self) -> Sequence[int]:
        return self.ids[: self.connected]


@dataclass(frozen=True, slots=True)
class PhaseMembers:
    """The agents of one phase. `reached` counts them with those of earlier phases inside it;
    `new` are the ids that this phase adds, in the order in which they are offered."""

    name: str
    matched: int
    reached: int
    new: tuple[int, ...]


def order_key(seed: str, instance_uid: str) -> str:
    """Return the hash that places one agent: hex MD5 of seed and canonical uid text."""
    return hashlib.md5(f"{seed}{instance_uid}".encode(), usedforsecurity=False).hexdigest()


def by_stratum(order: Sequence[int], strata: Sequence[str]) -> dict[str, list[int]]:
    """Return the ids of each stratum, in the order given; `strata` stands beside `order`."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for agent_id, stratum in zip(order, strata, strict=True):
        members[stratum].append(agent_id)
    return members


def spread_order(members: Mapping[str, Sequence[int]]) -> list[int]:
    """Return the ids of all strata in one order, of which every prefix holds each stratum in
    proportion.

    Agent k of n in its stratum stands at (k - 1/2) / n; of those that stand at the same place, the
    one of the earlier stratum goes first.
    """
    ids = list(chain.from_iterable(members.values()))
    stands: list[float] = []
    for some in members.values():
        halves = 2 * len(some)
        stands += [odd / halves for odd in range(1, halves, 2)]
    # Sorted runs one after the other are merged, which is quicker than to sort them mixed.
    return [ids[place] for place in sorted(range(len(ids)), key=stands.__getitem__)]


def phase_size(weight: float, matched: int) -> int:
    """Return ceil(weight x matched), without the noise of binary fractions (10 % of 30 is 3).

    Below 100 % never everybody, where there are two or more: 99 % of 10 is 9.
    """
    most = matched - 1 if weight < 1.0 and matched > 1 else matched
    return min(most, math.ceil(round(weight * matched, 6)))


def rounding(weight: float, matched: int) -> Text | None:
    """Return how a share became a number of agents: "34 % of 3 is 1.02, rounded to 2"; None when it
    is that number."""
    exact = round(weight * matched, 6)
    size = phase_size(weight, matched)
    if exact == size:
        return None
    if size < exact:
        return text("rounding.down", percent=weight * 100, of=matched, exact=exact, size=size)
    return text("rounding.up", percent=weight * 100, of=matched, exact=exact, size=size)


def assign(phases: Sequence[PhaseShare], lines: Mapping[str, Lineup]) -> tuple[PhaseMembers, ...]:
    """Divide the ordered agents over the phases; weights are cumulative (1 % is inside 5 %).

    `lines` has, for each distinct selector text of the phases, the matching agents. A weight is a
    share of the connected ones; only a last phase of 100 % takes the away as well.
    """
    taken: set[int] = set()
    result: list[PhaseMembers] = []
    for place, phase in enumerate(phases):
        taken.update(result[-1].new if result else ())
        line = lines[phase.selector]
        is_last = place == len(phases) - 1
        order = line.ids if takes_away(phase.weight, is_last=is_last) else line.present
        size = phase_size(phase.weight, len(order))
        new = tuple([agent_id for agent_id in order[:size] if agent_id not in taken])
        result.append(PhaseMembers(phase.name, len(order), size, new))
    return tuple(result)


def takes_away(weight: float, *, is_last: bool) -> bool:
    """Tell whether agents that are away can be members: of a last phase that leaves nobody out."""
    return is_last and weight >= 1.0


def rest_of(everyone: Sequence[int], phases: Sequence[PhaseMembers]) -> tuple[int, ...]:
    """Return the agents that no phase holds, in order: the last wave (`promote_rest`)."""
    if sum(len(phase.new) for phase in phases) == len(everyone):
        return ()
    taken = {agent_id for phase in phases for agent_id in phase.new}
    return tuple(agent_id for agent_id in everyone if agent_id not in taken)


def fingerprint(parts: Sequence[str], phases: Sequence[Sequence[int]]) -> str:
    """Return the digest of a preview: what is rolled out by which plan to exactly whom."""
    digest = hashlib.sha256("\x00".join(parts).encode())
    for members in phases:
        digest.update(b"\x01" + array("q", members).tobytes())
    return digest.hexdigest()


def has_drifted(before: int, difference: int) -> bool:
    """Tell whether a fleet changed too much to start unasked: more than 1 % or 5 agents."""
    return difference > 5 or difference > 0.01 * before
