"""The agents that this gateway remembers, by uid and by id."""

from __future__ import annotations

from collections.abc import Iterator

from agents.gateway.connections import Held


class Registry:
    """All agents this gateway remembers, connected or with something still to be written."""

    def __init__(self) -> None:
        self.by_uid: dict[bytes, Held] = {}
        self.by_id: dict[int, Held] = {}

    def add(self, agent: Held) -> None:
        """Remember an agent under its uid and its id."""
        self.by_uid[agent.uid] = agent
        self.by_id[agent.id] = agent

    def remove(self, agent: Held) -> None:
        """Forget an agent, if this is still the object known under its names."""
        if self.by_uid.get(agent.uid) is agent:
            del self.by_uid[agent.uid]
        if self.by_id.get(agent.id) is agent:
            del self.by_id[agent.id]

    def rename(self, agent: Held, uid: bytes) -> None:
        """Let an agent go on under a new uid (OP-07)."""
        if self.by_uid.get(agent.uid) is agent:
            del self.by_uid[agent.uid]
        agent.uid = uid
        agent.ack = b"\x0a\x10" + uid
        self.by_uid[uid] = agent

    def connected(self) -> Iterator[Held]:
        """Return the agents connected now; safe against changes while iterating."""
        return (a for a in list(self.by_id.values()) if a.connection is not None)
