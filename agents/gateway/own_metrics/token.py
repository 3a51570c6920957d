"""The token under which one agent sends its own metrics: a MAC over its id, stored nowhere. Pure.

Every agent gets its own, so that none can speak for another; it opens nothing but `/v1/metrics`.
All tokens are equally long, so that an offer is serialized once and the token put in place.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "tg_m_"
_DIGITS = 15
_MAC_CHARS = 43
PLACEHOLDER = PREFIX + "0" * _DIGITS + "_" + "0" * _MAC_CHARS
"""Stands for the agent's token in the settings everyone is offered."""


class OwnMetricsTokens:
    """Makes tokens with the first key and accepts those of any, so that a key can be replaced."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [hashlib.sha256(b"own-metrics:" + key.encode()).digest() for key in keys]

    def token_of(self, agent_id: int) -> str:
        """Return the agent's token."""
        return self._token(agent_id, self._keys[0])

    def agent_of(self, token: str) -> int | None:
        """Return the id of the agent whose token this is, None when it is nobody's."""
        number = token[len(PREFIX) : len(PREFIX) + _DIGITS]
        if len(token) != len(PLACEHOLDER) or not number.isascii() or not number.isdigit():
            return None
        agent_id = int(number)
        given = token.encode(errors="replace")
        for key in self._keys:
            if hmac.compare_digest(given, self._token(agent_id, key).encode()):
                return agent_id
        return None

    def fill(self, part: bytes, agent_id: int) -> bytes:
        """Put the agent's token in the place of PLACEHOLDER in a serialized offer."""
        return part.replace(PLACEHOLDER.encode(), self.token_of(agent_id).encode())

    def _token(self, agent_id: int, key: bytes) -> str:
        number = f"{agent_id:0{_DIGITS}d}"
        mac = hmac.digest(key, number.encode(), "sha256")
        return f"{PREFIX}{number}_{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
