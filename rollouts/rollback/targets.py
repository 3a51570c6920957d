"""Who goes back to what (spec section 5). Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from console.lib.texts import Text, text

# Why an agent has no way back.
NO_VERSION = text("no_way.no_version")
NOT_STORED = text("no_way.not_stored")
TOO_DEEP = text("no_way.too_deep")


@dataclass(frozen=True, slots=True)
class WayBack:
    """Where one agent goes. `to_hash` "" means nowhere, `problem` says why."""

    agent_id: int
    from_hash: str
    to_hash: str
    problem: Text | str = ""


def previous_of(
    agent_id: int,
    running: str,
    history: Sequence[str],
    *,
    avoid: Collection[str],
    stored: Collection[str],
    max_depth: int,
) -> WayBack:
    """Walk an agent's own applied history, newest first, to the version before `running`.

    Counts distinct hashes, at most `max_depth` back; hashes in `avoid` (quarantined for it, such as
    those rolled back before) are passed over, so that a second "previous" never returns to them.
    """
    distinct = [h for h in dict.fromkeys(history) if h and h != running]
    if not distinct:
        return WayBack(agent_id, running, "", NO_VERSION)
    for candidate in distinct[:max_depth]:
        if candidate in avoid:
            continue
        if candidate not in stored:
            return WayBack(agent_id, running, "", NOT_STORED)
        return WayBack(agent_id, running, candidate)
    return WayBack(agent_id, running, "", TOO_DEEP)


def batch_size(agents: int) -> int:
    """Return how many agents one gradual batch has: a tenth, at least one."""
    return max(1, -(-agents // 10))


def batch_is_good(confirmed: int, failed: int, timed_out: int, quorum: float = 0.9) -> bool:
    """Tell whether a gradual rollback may send its next batch: the agents that could answer came
    back, nine of ten of them. Offline agents are not judged."""
    answered = confirmed + failed + timed_out
    return answered == 0 or confirmed >= quorum * answered
