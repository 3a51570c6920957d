"""Token buckets: how often and how much, per connection and per process (security.md section 8)."""

from __future__ import annotations

from agents.gateway.connections import Connection
from agents.gateway.options import Limits


class Bucket:
    """Allows `per_s` a second on average and `burst` at once. Time is given, in seconds."""

    __slots__ = ("_at", "_burst", "_left", "_per_s")

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at = 0.0

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Take `amount` if there is that much; False when there is not."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < amount:
            return False
        self._left -= amount
        return True


class Room:
    """How many bytes of messages that are not read yet may be held at once, by all together."""

    def __init__(self, size: int) -> None:
        self._free = size

    def take(self, size: int) -> bool:
        """Take so many bytes if there is room; False when there is not."""
        if size > self._free:
            return False
        self._free -= size
        return True

    def give(self, size: int) -> None:
        """Give so many bytes back."""
        self._free += size


class NoRoom(Exception):
    """Too much is being received already."""


class Share:
    """What one request holds of the room, growing as its body comes: a body in chunks says nothing
    of its size beforehand, a packed one not how large it will be."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = 0

    def grow(self, size: int) -> None:
        """Hold so many bytes, if it was less before. Raises NoRoom."""
        if size > self._held:
            if not self._room.take(size - self._held):
                raise NoRoom
            self._held = size

    def end(self) -> None:
        """Hold nothing any more."""
        self._room.give(self._held)
        self._held = 0


def allows(connection: Connection, size: int, agents: int, limits: Limits, now: float) -> bool:
    """Count one message of `size` bytes against the connection's budget, one share per agent."""
    share = max(agents, 1)
    passed = now - connection.refilled_at
    if connection.refilled_at == 0.0:
        messages, volume = limits.messages_burst * share, limits.bytes_burst
    else:
        messages = min(
            limits.messages_burst * share,
            connection.budget + passed * limits.messages_per_s * share,
        )
        volume = min(limits.bytes_burst, connection.bytes_budget + passed * limits.bytes_per_s)
    connection.refilled_at = now
    connection.budget = messages - 1
    connection.bytes_budget = volume - size
    return messages >= 1 and volume >= size


def carry_over(before: Connection, connection: Connection) -> None:
    """Let a new connection of an agent go on with what the one before has left of its budget."""
    connection.refilled_at = before.refilled_at
    connection.budget, connection.bytes_budget = before.budget, before.bytes_budget


def has_room(connection: Connection, agents: int, limits: Limits, now: float) -> bool:
    """Whether a message would be taken now; counts nothing."""
    passed = now - connection.refilled_at
    messages = connection.budget + passed * limits.messages_per_s * max(agents, 1)
    volume = connection.bytes_budget + passed * limits.bytes_per_s
    return messages >= 1 and volume > 0
