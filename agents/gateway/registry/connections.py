"""Who is connected here: connections, agents by uid and by id."""

from __future__ import annotations

from collections.abc import Iterator

from agents.gateway.registry.principal import Principal
from agents.opamp.state import AgentState

HTTP = "http"
WEBSOCKET = "ws"


class Connection:
    """One TCP connection, which may carry several agents (opamp-protocol.md 2.1).

    This one is for plain HTTP, where nothing can be sent unasked; see `websocket.Socket`.
    """

    __slots__ = (
        "agents",
        "alive",
        "answered_at",
        "budget",
        "bytes_budget",
        "closing",
        "is_lagging",
        "lagging_since",
        "peer",
        "principal",
        "refilled_at",
    )
    kind = HTTP
    is_websocket = False

    def __init__(self, peer: tuple[str, int], principal: Principal) -> None:
        self.peer = peer
        self.principal = principal
        self.agents: dict[bytes, AgentState] = {}
        self.alive = 0
        # When it last answered a ping, in seconds since 1970.
        self.answered_at = 0.0
        self.budget = self.bytes_budget = -1.0
        self.refilled_at = 0.0
        self.is_lagging = False
        self.lagging_since = 0.0
        self.closing = False

    @property
    def address(self) -> str:
        return f"{self.peer[0]}:{self.peer[1]}"

    def send(self, payload: bytes) -> None:
        """Send one ServerToAgent, if this kind of connection can."""

    def ping(self) -> None:
        """Ask for a sign of life, counted in `alive`."""

    def close(self, code: int, text: str) -> None:
        """Close with a Close frame, and wait for the other end's without blocking."""

    def abort(self) -> None:
        """Cut the connection at once."""


class Registry:
    """All agents this gateway remembers, connected or with something still to be written."""

    def __init__(self) -> None:
        self.by_uid: dict[bytes, AgentState] = {}
        self.by_id: dict[int, AgentState] = {}

    def add(self, agent: AgentState) -> None:
        """Remember an agent under its uid and its id."""
        self.by_uid[agent.uid] = agent
        self.by_id[agent.id] = agent

    def remove(self, agent: AgentState) -> None:
        """Forget an agent, if this is still the object known under its names."""
        if self.by_uid.get(agent.uid) is agent:
            del self.by_uid[agent.uid]
        if self.by_id.get(agent.id) is agent:
            del self.by_id[agent.id]

    def rename(self, agent: AgentState, uid: bytes) -> None:
        """Let an agent go on under a new uid (OP-07)."""
        if self.by_uid.get(agent.uid) is agent:
            del self.by_uid[agent.uid]
        agent.uid = uid
        agent.ack = b"\x0a\x10" + uid
        self.by_uid[uid] = agent

    def connected(self) -> Iterator[AgentState]:
        """Return the agents connected now; safe against changes while iterating."""
        return (agent for agent in list(self.by_id.values()) if agent.connected)
