"""Who is connected here: connections, agents by uid and by id."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agents.gateway.principal import Principal
from agents.opamp.state import AgentState

if TYPE_CHECKING:
    from aiohttp.web import WebSocketResponse

HTTP = "http"
WEBSOCKET = "ws"


class Connection:
    """One transport connection, which may carry several agents (opamp-protocol.md 2.1)."""

    __slots__ = (
        "address",
        "agents",
        "alive",
        "bad_messages",
        "bucket",
        "closing",
        "lagging_since",
        "opened_at",
        "peer",
        "principal",
        "transport",
        "ws",
    )

    def __init__(self, transport: str, peer: tuple[str, int], principal: Principal) -> None:
        self.transport = transport
        self.peer = peer
        self.address = f"{peer[0]}:{peer[1]}"
        self.principal = principal
        self.agents: dict[bytes, AgentState] = {}
        self.ws: WebSocketResponse | None = None
        self.opened_at = time.time()
        self.alive = 0
        self.bad_messages = 0
        self.bucket: tuple[float, float, float] | None = None
        self.lagging_since = 0.0
        self.closing = False

    def unsent_bytes(self) -> int:
        """Return how much waits in the transport; 0 when there is none."""
        transport = self.ws.get_extra_info("transport_buffer") if self.ws is not None else None
        return transport() if transport is not None else 0


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
