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


def has_room(connection: Connection, agents: int, limits: Limits, now: float) -> bool:
    """Whether a message would be taken now; counts nothing."""
    passed = now - connection.refilled_at
    messages = connection.budget + passed * limits.messages_per_s * max(agents, 1)
    volume = connection.bytes_budget + passed * limits.bytes_per_s
    return messages >= 1 and volume > 0
