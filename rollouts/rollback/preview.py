"""What a rollback by selector would do: who goes from which version to which, and who stays and why.

The same count is made before a person decides and again under the lock of the act, so that what was
shown is what is done.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from accounts.actor import Actor
from agents.models import Agent
from agents.models.querysets import PRODUCTION
from agents.selectors.grammar import parse, to_text
from console.lib.texts import Text, to_column
from rollouts.models import RollbackTarget
from rollouts.rollback.by_selector import goal, ways_back
from rollouts.rollback.targets import WayBack
from rollouts.selectors import selector_q

TYPE_COUNT_FROM = 500  # agents; from there on the number is typed before it goes on


@dataclass(frozen=True, slots=True)
class Move:
    """So many agents from one hash to another. `to_hash` "" means nowhere, `problem` says why."""

    agents: int
    from_hash: str
    to_hash: str
    problem: Text | str = ""


@dataclass(frozen=True, slots=True)
class WaysPreview:
    """What would be done to the `matched` agents. `held` are brought back by another rollback now
    (agents by its name), `stay` run already what they would go to, or nothing that one could leave."""

    selector: str
    matched: int
    moves: tuple[Move, ...]
    stranded: tuple[Move, ...]
    held: Mapping[str, int]
    environments: tuple[str, ...]

    @property
    def agents(self) -> int:
        """How many go back."""
        return sum(move.agents for move in self.moves)

    @property
    def stay(self) -> int:
        """Those for whom nothing changes."""
        gone = self.agents + sum(move.agents for move in self.stranded)
        return self.matched - gone - sum(self.held.values())

    @property
    def is_production(self) -> bool:
        """Whether anybody of production would go back."""
        return bool(PRODUCTION.intersection(self.environments))

    @property
    def must_be_typed(self) -> bool:
        """Whether the number is asked for once more."""
        return self.agents > TYPE_COUNT_FROM or self.is_production

    @property
    def digest(self) -> str:
        """What tells this preview from another: who goes where, as numbers."""
        moves = [[move.from_hash, move.to_hash, move.agents] for move in self.moves]
        return hashlib.sha256(json.dumps(moves).encode()).hexdigest()[:32]


def preview(*, selector: str, to: str | int, config: str | None, by: Actor) -> WaysPreview:
    """Count what a rollback by selector would do now; a few queries whatever the number of agents.

    Raises Invalid, Missing, Refused as the act does. Locks nothing.
    """
    wanted = to_text(parse(selector))
    found = matching(wanted, by)
    to_hash = goal(to, config, list(found))
    held = on_their_way(list(found))
    ways = ways_back([pk for pk in found if pk not in held], to_hash)
    return counted(wanted, found, ways, held)


def matching(selector: str, by: Actor) -> dict[int, str]:
    """Return the agents a selector means that accept configs: environment ("" for none) by id."""
    found = Agent.objects.visible_to(by).matching(selector_q(parse(selector)))
    rows = found.accepting_remote_config().order_by("pk").values_list("pk", "labels__env")
    return {pk: str(env or "") for pk, env in rows}


def on_their_way(agent_ids: Collection[int]) -> dict[int, str]:
    """Return which rollback brings which of these agents back now, by its name."""
    going = RollbackTarget.objects.filter(
        agent_id__in=agent_ids, rollback__state="running"
    ).select_related("rollback__rollout")
    return {
        target.agent_id: str(target.rollback.rollout or target.rollback)
        for target in going.only("agent_id", "rollback__rollout__id")
    }


def counted(
    selector: str, found: Mapping[int, str], ways: Sequence[WayBack], held: Mapping[int, str]
) -> WaysPreview:
    """Sum up the ways of single agents: the largest moves first. Pure."""
    moves = Counter((w.from_hash, w.to_hash) for w in ways if w.to_hash)
    problems = {to_column(w.problem): w.problem for w in ways if not w.to_hash}
    stranded = Counter((w.from_hash, to_column(w.problem)) for w in ways if not w.to_hash)
    going = {found.get(w.agent_id, "") for w in ways if w.to_hash}
    return WaysPreview(
        selector=selector,
        matched=len(found),
        moves=tuple(Move(n, old, new) for (old, new), n in _largest(moves)),
        stranded=tuple(Move(n, old, "", problems[why]) for (old, why), n in _largest(stranded)),
        held=dict(Counter(held.values())),
        environments=tuple(sorted(env for env in going if env)),
    )


def _largest(
    numbers: Mapping[tuple[str, str], int],
) -> list[tuple[tuple[str, str], int]]:
    return sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
