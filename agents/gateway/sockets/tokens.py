"""Bearer tokens of agents as a gateway knows them: personal, or shared by a pool."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from agents.gateway.database import Database
from agents.gateway.principal import Principal, Proof
from agents.gateway.sockets.not_admitted import NotAdmitted, invalid

AGENT_PREFIX = "tg_a_"
_OPERATOR_PREFIX = "tg_u_"
# An unknown token asks the database at most so often in all, so guessing costs us nothing.
_LOOKUPS_PER_S = 20


class Tokens:
    """Knows the live tokens by their digest."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tokens: dict[str, Principal] = {}
        self._lookups: tuple[int, int] = (0, 0)

    async def reload(self) -> bool:
        """Read all live tokens again. True when one that was valid is valid no more. Raises AWAY."""
        rows = await self._database.fetch(_TOKENS + " WHERE revoked_at IS NULL")
        before = self.names()
        self._tokens = {row[0]: _principal(row) for row in rows}
        return not before <= self.names()

    def names(self) -> set[str]:
        """Return the names of the principals of all live tokens."""
        return {principal.name for principal in self._tokens.values()}

    def known(self, authorization: Sequence[str], now: float) -> Principal | None:
        """Return whose the token is; None when only the database can tell. Raises NotAdmitted."""
        return _checked(self._tokens.get(_digest(authorization)), now)

    async def find(self, authorization: Sequence[str], now: float) -> Principal | None:
        """Return whose the token is, made a moment ago perhaps; None for nobody's. Raises
        NotAdmitted, AWAY."""
        digest = _digest(authorization)
        if digest not in self._tokens and self._may_look_up():
            rows = await self._database.fetch(
                _TOKENS + " WHERE revoked_at IS NULL AND digest = %b", digest
            )
            if rows:
                self._tokens[digest] = _principal(rows[0])
        return _checked(self._tokens.get(digest), now)

    def _may_look_up(self) -> bool:
        second, count = self._lookups
        if second != int(time.monotonic()):
            second, count = int(time.monotonic()), 0
        self._lookups = (second, count + 1)
        return count < _LOOKUPS_PER_S


def is_ours(authorization: Sequence[str]) -> bool:
    """Tell whether this is meant as a token of an agent. Raises NotAdmitted."""
    return secret_of(authorization).startswith(AGENT_PREFIX)


def secret_of(authorization: Sequence[str]) -> str:
    """Return the bearer token of the headers. Raises NotAdmitted when there is not exactly one."""
    if not authorization:
        raise NotAdmitted(401, "credential_missing", "Send Authorization: Bearer and a token.")
    if len(authorization) > 1:
        raise invalid("several Authorization headers")
    scheme, _, secret = authorization[0].partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise invalid("not a bearer token")
    if secret.startswith(_OPERATOR_PREFIX):
        raise invalid("an operator's token")
    return secret


def _checked(principal: Principal | None, now: float) -> Principal | None:
    if principal is not None and principal.not_after and now >= principal.not_after:
        text = "The token has expired; ask for a new one."
        raise NotAdmitted(401, "token_expired", text, credential=principal.name)
    return principal


def _digest(authorization: Sequence[str]) -> str:
    # Bytes that are no UTF-8 come as surrogates; no token has such.
    return hashlib.sha256(secret_of(authorization).encode(errors="replace")).hexdigest()


def _principal(row: Sequence[Any]) -> Principal:
    _, token_id, agent_id, labels, expires_at = row
    return Principal(
        kind=Proof.POOL if agent_id is None else Proof.TOKEN,
        credential_id=str(token_id),
        agent_id=agent_id,
        labels={} if agent_id is not None else labels,
        not_after=expires_at.timestamp() if expires_at is not None else 0.0,
    )


_TOKENS = "SELECT digest, id, agent_id, labels, expires_at FROM agents_agenttoken"
