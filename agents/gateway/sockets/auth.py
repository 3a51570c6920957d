"""Who may connect: the order of checks of security.md 3.1, before any body is read.

Real today: nothing needed on loopback, and bearer tokens, personal or shared by a pool. Client
certificates, enrolment tokens and JWTs will return the same `Principal` from here.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from typing import Any

from agents.gateway.database import AWAY, Database
from agents.gateway.options import Limits
from agents.gateway.principal import LOOPBACK, Principal, Proof

logger = logging.getLogger(__name__)

AGENT_PREFIX = "tg_a_"
_OPERATOR_PREFIX = "tg_u_"
_RELOAD_S = 60.0
# An unknown token asks the database at most so often in all, so guessing costs us nothing.
_LOOKUPS_PER_S = 20


class NotAdmitted(Exception):
    """No entry. `code` and `detail` are for the caller; `why` is for the log and for operators only
    (R14), as is `credential`, the name of one that was recognised."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        why: str = "",
        *,
        retry_after_s: float = 0.0,
        credential: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.why = why
        self.retry_after_s = retry_after_s
        self.credential = credential


class Doorkeeper:
    """Knows the live tokens and who failed lately."""

    def __init__(self, database: Database, auth: str, limits: Limits) -> None:
        self._database = database
        self._auth = auth
        self._limits = limits
        self._tokens: dict[str, Principal] = {}
        self._reloaded_at = 0.0
        self._failures: dict[str, list[float]] = {}
        self._lookups: tuple[int, int] = (0, 0)

    async def reload(self, *, force: bool = False) -> list[str]:
        """Read all live tokens again, at most once a minute unless forced.

        Returns the names of principals that were valid and are no longer, to be cut (R30).
        """
        if not force and time.monotonic() - self._reloaded_at < _RELOAD_S:
            return []
        rows = await self._database.fetch(_TOKENS + " WHERE revoked_at IS NULL")
        before = {p.name for p in self._tokens.values()}
        self._tokens = {row[0]: _principal(row) for row in rows}
        self._reloaded_at = time.monotonic()
        return sorted(before - {p.name for p in self._tokens.values()})

    def recognise(self, address: str, authorization: Sequence[str]) -> Principal | None:
        """Return who connects from `address`, or None when only the database can tell.

        Raises Denied.
        """
        now = time.time()
        self._check_failures(address, now)
        if self._auth == "none" and not authorization:
            return LOOPBACK
        try:
            return self._checked(self._tokens.get(_digest(authorization)), now)
        except NotAdmitted as denied:
            self._note(address, denied, now)
            raise

    async def admit(self, address: str, authorization: Sequence[str]) -> Principal:
        """Return who connects from `address` with these Authorization headers. Raises Denied."""
        known = self.recognise(address, authorization)
        if known is not None:
            return known
        now = time.time()
        try:
            found = self._checked(await self._find(_digest(authorization)), now)
            if found is not None:
                return found
            if self._auth == "none" and not _secret(authorization).startswith(AGENT_PREFIX):
                # Without enrolment any other header is the collector's own business.
                return LOOPBACK
            raise _invalid("unknown or revoked")
        except NotAdmitted as denied:
            self._note(address, denied, now)
            raise

    def _checked(self, principal: Principal | None, now: float) -> Principal | None:
        if principal is not None and principal.not_after and now >= principal.not_after:
            text = "The token has expired; ask for a new one."
            raise NotAdmitted(401, "token_expired", text, credential=principal.name)
        return principal

    def _note(self, address: str, denied: NotAdmitted, now: float) -> None:
        if denied.status == 401:
            self._failures.setdefault(address, []).append(now)
        logger.info(
            "Refused an agent", extra={"address": address, "code": denied.code, "why": denied.why}
        )

    async def _find(self, digest: str) -> Principal | None:
        """Look up a token that is not in memory, made a moment ago perhaps."""
        second, count = self._lookups
        if second != int(time.monotonic()):
            second, count = int(time.monotonic()), 0
        self._lookups = (second, count + 1)
        if count >= _LOOKUPS_PER_S:
            return None
        try:
            rows = await self._database.fetch(
                _TOKENS + " WHERE revoked_at IS NULL AND digest = %b", digest
            )
        except AWAY as error:
            raise NotAdmitted(
                503, "unavailable", "Try again later.", str(error), retry_after_s=30.0
            ) from error
        if rows:
            self._tokens[digest] = _principal(rows[0])
        return self._tokens.get(digest)

    def _check_failures(self, address: str, now: float) -> None:
        """Pause an address after 20 failures in a minute (security.md section 8)."""
        failures = self._failures.get(address)
        if failures is None:
            return
        pause = self._limits.failed_auth_pause_s
        failures[:] = [at for at in failures if now - at < pause]
        recent = [at for at in failures if now - at < 60.0]
        if not failures:
            del self._failures[address]
        elif len(recent) >= self._limits.failed_auth_per_minute or self._is_paused(failures):
            raise NotAdmitted(
                429, "too_many_failures", "Too many failed attempts.", "paused", retry_after_s=pause
            )

    def _is_paused(self, failures: list[float]) -> bool:
        """Whether the limit was reached within some minute of the last five."""
        limit = self._limits.failed_auth_per_minute
        return any(
            failures[i + limit - 1] - failures[i] < 60.0 for i in range(len(failures) - limit + 1)
        )


def _secret(authorization: Sequence[str]) -> str:
    """Return the bearer token of the headers. Raises Denied when there is not exactly one."""
    if not authorization:
        raise NotAdmitted(401, "credential_missing", "Send Authorization: Bearer and a token.")
    if len(authorization) > 1:
        raise _invalid("several Authorization headers")
    scheme, _, secret = authorization[0].partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise _invalid("not a bearer token")
    if secret.startswith(_OPERATOR_PREFIX):
        raise _invalid("an operator's token")
    return secret


def _digest(authorization: Sequence[str]) -> str:
    # Bytes that are no UTF-8 come as surrogates; no token has such.
    return hashlib.sha256(_secret(authorization).encode(errors="replace")).hexdigest()


def _invalid(why: str) -> NotAdmitted:
    return NotAdmitted(401, "credential_invalid", "The credential is not valid.", why)


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
