"""The books of open WebSockets: counters, who is silent, who is in the middle of a message."""

from __future__ import annotations

import time

from agents.gateway.connections import WEBSOCKET, Connection
from agents.gateway.principal import Principal
from agents.gateway.registry.gateway import Gateway
from agents.gateway.sockets.door import Door
from agents.opamp.uids import as_text
from agents.opamp.uids import claimed as claimed_uid
from agents.opamp.websocket import frames


class OpenSocket(Connection):
    """A WebSocket as the books know it. `why` is the reason of its end, once there is one."""

    __slots__ = ("opened_at", "why")
    kind = WEBSOCKET
    is_websocket = True

    def __init__(self, peer: tuple[str, int], principal: Principal) -> None:
        super().__init__(peer, principal)
        self.opened_at = time.monotonic()
        self.why = ""

    def too_slow(self) -> None:
        """The message that began a while ago is still not whole."""


class Books:
    """Knows every open WebSocket of a gateway."""

    def __init__(self, gateway: Gateway, door: Door) -> None:
        self.gateway = gateway
        self.limits = gateway.options.limits
        self.room = gateway.room
        self._door = door
        self._silent: dict[OpenSocket, None] = {}
        # Since when each of these has had a message that is not whole.
        self.receiving: dict[OpenSocket, float] = {}
        # Plain numbers: a counter of the metrics library takes 0.3 us, three of them a message.
        self.messages = self.received_bytes = self.sent_bytes = 0

    def publish(self) -> None:
        """Move what was counted since the last time into the metrics."""
        metrics = self.gateway.metrics
        metrics.messages.labels(WEBSOCKET).inc(self.messages)
        metrics.received.inc(self.received_bytes)
        metrics.sent.inc(self.sent_bytes)
        self.messages = self.received_bytes = self.sent_bytes = 0

    def refused(self, reason: str) -> None:
        """Count one refusal."""
        self.gateway.metrics.refused.labels(reason).inc()

    def turned_away(
        self, socket: OpenSocket, reason: str, detail: str, message: bytes = b""
    ) -> None:
        """Count a message that was refused, and keep for operators whose it was."""
        self.refused(reason)
        known = next(iter(socket.agents), b"")
        claimed = claimed_uid(message) or (as_text(known) if known else "")
        name = socket.principal.name
        self.gateway.refusals.note(socket.peer[0], reason, claimed, name, detail)

    def opened(self, socket: OpenSocket) -> None:
        """A WebSocket stands; it has not said anything yet."""
        self.gateway.connections.add(socket)
        self._silent[socket] = None

    def closed(self, socket: OpenSocket, reason: str) -> None:
        """A WebSocket is gone. May be called again for agents that joined in its last moment."""
        if socket in self.gateway.connections:
            self._door.go(socket.peer[0])
        self._silent.pop(socket, None)
        self.gateway.close(socket, reason)

    def look(self) -> None:
        """Cut sockets that never say anything or never finish saying it."""
        now = time.monotonic()
        for socket, since in list(self.receiving.items()):
            if now - since > self.limits.body_s:
                socket.too_slow()
        for socket in list(self._silent):
            if socket.agents or socket.closing:
                del self._silent[socket]
            elif now - socket.opened_at > self.limits.first_message_s:
                del self._silent[socket]
                socket.why = "no first message"
                socket.close(frames.POLICY_VIOLATION, "no message came")
