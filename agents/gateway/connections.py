"""Connections, and the agents that this gateway holds: what the protocol knows, and what it does not."""

from __future__ import annotations

from uuid import UUID

from agents.gateway.principal import Principal
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
        self.agents: dict[bytes, Held] = {}
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


class Held(AgentState):
    """An agent as a gateway holds it: the protocol's state, and the facts of its connection.

    One object and not two, because there are very many; `agents.opamp` sees the `AgentState` only.
    `joining` counts the loads under way that need what is in memory. `swept_at` is the `last_seen`
    that the sweep wrote last.
    """

    __slots__ = (
        "connection",
        "joining",
        "left_at",
        "left_reason",
        "session_id",
        "swept_at",
    )

    def __init__(self, uid: bytes, agent_id: int, session_id: UUID) -> None:
        super().__init__(uid, agent_id)
        self.connection: Connection | None = None
        self.session_id = session_id
        self.joining = 0
        self.left_at: float | None = None
        self.left_reason = ""
        self.swept_at = 0.0

    @property
    def connected(self) -> bool:
        return self.connection is not None

    def begin(self, connection: Connection, now: float, *, is_new_session: bool) -> None:
        """Start serving a connection."""
        self.connection = connection
        self.meet(now, is_new_session=is_new_session)
        if is_new_session:
            self.left_at, self.left_reason = None, ""

    def end(self, now: float, reason: str) -> None:
        """The connection is gone."""
        self.connection = None
        self.left_at, self.left_reason = now, reason
        changes = self.change()
        changes.status = changes.visible = True
