"""The registry of certificates as a gateway knows it: whose, and which of them are revoked (R22, R30).

Read on from the last change number, so it costs what changed. A certificate that was registered a moment
ago on another host is looked up when it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from agents.gateway.database import Database


@dataclass(frozen=True, slots=True)
class Registered:
    """What the registry says of one fingerprint. `agent_id` is None where a rule decides."""

    agent_id: int | None
    is_revoked: bool


class CertificateRegistry:
    """Certificates by fingerprint (hex)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[bytes, Registered] = {}
        self._cursor = 0

    def __len__(self) -> int:
        return len(self._known)

    def get(self, fingerprint: str) -> Registered | None:
        """Return what is known in memory."""
        return self._known.get(bytes.fromhex(fingerprint))

    async def read(self) -> bool:
        """Read what has changed. True when there was something. Raises AWAY."""
        rows = await self._database.fetch(
            _COLUMNS + " WHERE change > %b ORDER BY change", self._cursor
        )
        for fingerprint, agent_id, is_revoked, change in rows:
            self._known[bytes.fromhex(fingerprint)] = Registered(agent_id, is_revoked)
            self._cursor = change
        return bool(rows)

    async def find(self, fingerprint: str) -> Registered | None:
        """Look up one that is not in memory. Only who has a good certificate gets this far, so there is
        nothing to guess. Raises AWAY."""
        rows = await self._database.fetch(_COLUMNS + " WHERE fingerprint = %b", fingerprint)
        if rows:
            _, agent_id, is_revoked, _ = rows[0]
            self._known[bytes.fromhex(fingerprint)] = Registered(agent_id, is_revoked)
        return self.get(fingerprint)


# One that was seen and never registered belongs to nobody by itself: the rule decides.
_COLUMNS = """
    SELECT fingerprint, CASE WHEN is_observed THEN NULL ELSE agent_id END,
        revoked_at IS NOT NULL, change
    FROM agents_agentcertificate
"""
