"""Who is connected here: connections, agents by uid and by id."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agents.gateway.principal import Principal
from agents.opamp.state import AgentState

if TYPE_CHECKING:
    from asyncio import WriteTransport

    from aiohttp.web import WebSocketResponse

HTTP = "http"
WEBSOCKET = "ws"
_BINARY_FINAL = 0x82
_SHORT = struct.Struct("!BBB").pack
_MEDIUM = struct.Struct("!BBHB").pack
_LONG = struct.Struct("!BBQB").pack


def frame(payload: bytes) -> bytes:
    """Return a server's WebSocket frame (RFC 6455 section 5.2) around header 0 and the payload."""
    size = len(payload) + 1
    if size < 126:
        return _SHORT(_BINARY_FINAL, size, 0) + payload
    if size < 65536:
        return _MEDIUM(_BINARY_FINAL, 126, size, 0) + payload
    return _LONG(_BINARY_FINAL, 127, size, 0) + payload


class Connection:
    """One transport connection, which may carry several agents (opamp-protocol.md 2.1)."""

    __slots__ = (
        "address",
        "agents",
        "alive",
        "bad_messages",
        "budget",
        "bytes_budget",
        "closing",
        "is_lagging",
        "kind",
        "lagging_since",
        "peer",
        "principal",
        "refilled_at",
        "transport",
        "ws",
    )

    def __init__(self, kind: str, peer: tuple[str, int], principal: Principal) -> None:
        self.kind = kind
        self.peer = peer
        self.address = f"{peer[0]}:{peer[1]}"
        self.principal = principal
        self.agents: dict[bytes, AgentState] = {}
        self.ws: WebSocketResponse | None = None
        self.transport: WriteTransport | None = None
        self.alive = 0
        self.bad_messages = 0
        self.budget = self.bytes_budget = -1.0
        self.refilled_at = 0.0
        self.is_lagging = False
        self.lagging_since = 0.0
        self.closing = False

    @property
    def is_websocket(self) -> bool:
        return self.ws is not None

    def send(self, payload: bytes) -> None:
        """Write one ServerToAgent to the WebSocket, at once, past aiohttp's writer.

        Server frames need no mask and we negotiate no compression, so a frame is three bytes and
        the payload; a coroutine per answer costs more than the answer.
        """
        transport = self.transport
        if transport is not None and not self.closing and not transport.is_closing():
            transport.write(frame(payload))

    def unsent_bytes(self) -> int:
        """Return how much waits in the transport for a slow reader."""
        return self.transport.get_write_buffer_size() if self.transport is not None else 0


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
