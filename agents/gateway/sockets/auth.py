"""Who may connect: the order of checks of security.md 3.1, before any body is read.

A client certificate, then a bearer token, then whether both speak of the same agent and are what this
gateway asks for. A credential that is shown and wrong refuses; nothing falls back to a weaker one.
Enrolment tokens and JWTs will return the same `Principal` from here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from agents.gateway.database import AWAY, Database
from agents.gateway.options import Limits, TlsOptions
from agents.gateway.principal import LOOPBACK, Principal, Proof
from agents.gateway.sockets.caller import Caller
from agents.gateway.sockets.failures import Failures
from agents.gateway.sockets.not_admitted import NotAdmitted, invalid
from agents.gateway.sockets.tokens import Tokens, is_ours
from agents.gateway.tls.certificates import Certificates, utc
from agents.gateway.tls.verify import EXPIRED, PeerRefused

logger = logging.getLogger(__name__)

_RELOAD_S = 60.0
# Without a look at the rows for so long nobody new is let in: what was revoked would be (R30).
_BLIND_AFTER_S = 600.0


class Doorkeeper:
    """Knows the live credentials and who failed lately."""

    def __init__(
        self, database: Database, auth: str, limits: Limits, tls: TlsOptions | None = None
    ) -> None:
        self._auth = auth
        self.tokens = Tokens(database)
        self.certificates = Certificates(database, tls)
        self._failures = Failures(limits)
        self._reloaded_at = 0.0

    @property
    def is_blind(self) -> bool:
        """Whether credentials could not be read again for too long."""
        return self._auth != "none" and time.monotonic() - self._reloaded_at > _BLIND_AFTER_S

    async def reload(self, *, force: bool = False) -> bool:
        """Read all credentials again, at most once a minute unless forced.

        True when somebody may have lost theirs: `judge` tells who (R30). Raises AWAY.
        """
        if not force and time.monotonic() - self._reloaded_at < _RELOAD_S:
            return False
        has_lost = await self.tokens.reload()
        has_lost |= await self.certificates.reload()
        self._reloaded_at = time.monotonic()
        return has_lost

    def judge(self) -> Callable[[Principal], bool]:
        """Return what tells whether the credentials behind a connection were not taken away since."""
        names = self.tokens.names()

        def stands(principal: Principal) -> bool:
            if principal.kind is Proof.LOOPBACK:
                return True
            if principal.kind is Proof.CERTIFICATE:
                has_token = not principal.beside or principal.beside in names
                return has_token and self.certificates.stands(principal)
            return principal.name in names

        return stands

    def recognise(self, caller: Caller) -> Principal | None:
        """Return who connects, or None when only the database can tell. Raises NotAdmitted."""
        now = time.time()
        self._failures.check(caller.address, now)
        try:
            certificate = self._known_certificate(caller, now)
            if caller.chain and certificate is None:
                return None
            token = self.tokens.known(caller.authorization, now) if caller.authorization else None
            if caller.authorization and token is None:
                return None
            return self._decide(certificate, token)
        except NotAdmitted as denied:
            self._note(caller, denied, now)
            raise

    async def admit(self, caller: Caller) -> Principal:
        """Return who connects, asking the database if needed. Raises NotAdmitted."""
        known = self.recognise(caller)
        if known is not None:
            return known
        now = time.time()
        try:
            return self._decide(
                await self._find_certificate(caller, now), await self._find_token(caller, now)
            )
        except AWAY as error:
            raise NotAdmitted(
                503, "unavailable", "Try again later.", str(error), retry_after_s=30.0
            ) from error
        except NotAdmitted as denied:
            self._note(caller, denied, now)
            raise

    # --- One credential ----------------------------------------------------------------------

    def _known_certificate(self, caller: Caller, now: float) -> Principal | None:
        if not caller.chain:
            return None
        try:
            return self.certificates.known(caller.chain, utc(now))
        except PeerRefused as bad:
            raise _denied(bad) from bad

    async def _find_certificate(self, caller: Caller, now: float) -> Principal | None:
        if not caller.chain:
            return None
        try:
            return await self.certificates.find(caller.chain, utc(now))
        except PeerRefused as bad:
            raise _denied(bad) from bad

    async def _find_token(self, caller: Caller, now: float) -> Principal | None:
        if not caller.authorization:
            return None
        found = await self.tokens.find(caller.authorization, now)
        if found is None and (self._auth != "none" or is_ours(caller.authorization)):
            raise invalid("unknown or revoked")
        # Without enrolment any other header is the collector's own business.
        return found

    # --- All of them -------------------------------------------------------------------------

    def _decide(self, certificate: Principal | None, token: Principal | None) -> Principal:
        """Return who was proven, if that is what this gateway asks for. Raises NotAdmitted."""
        if self._auth == "mtls+token" and (certificate is None) != (token is None):
            raise _missing("token" if token is None else "mtls", "Both are asked for here.")
        if certificate is not None and token is not None:
            return _both(certificate, token)
        found = certificate or token
        if found is None:
            if self._auth == "none":
                return LOOPBACK
            raise _missing("mtls" if self._auth == "mtls" else self._auth)
        if self._auth == "mtls" and certificate is None:
            raise _missing("mtls")
        if self._auth == "token" and token is None:
            raise _missing("token", "A certificate alone is not enough here.")
        return found

    def _note(self, caller: Caller, denied: NotAdmitted, now: float) -> None:
        if denied.status == 401:
            self._failures.note(caller.address, now)
        logger.info(
            "Refused an agent",
            extra={
                "address": caller.address,
                "code": denied.code,
                "reason": denied.reason,
                "why": denied.why,
                "holder": denied.holder,
            },
        )


def _both(certificate: Principal, token: Principal) -> Principal:
    """Return the certificate's principal, which the token may not contradict (3.1, step 4).

    A personal token names its agent, and the agent that is loaded must be that one.
    """
    ids = {p.agent_id for p in (certificate, token) if p.agent_id is not None}
    if len(ids) > 1:
        text = "The certificate and the token belong to different agents."
        why = f"the certificate is agent {certificate.agent_id}'s, the token {token.agent_id}'s"
        raise NotAdmitted(401, "credential_mismatch", text, why, credential=certificate.name)
    agent_id = next(iter(ids), None)
    labels = {**token.labels, **certificate.labels}
    return replace(certificate, agent_id=agent_id, labels=labels, beside=token.name)


def _missing(what: str, more: str = "") -> NotAdmitted:
    """Return the refusal that names what is missing (3.1, step 5)."""
    code = "mtls_required" if what == "mtls" else "credential_missing"
    text = {
        "mtls": "Connect with a client certificate.",
        "token": "Send Authorization: Bearer and a token.",
        "any": "Connect with a client certificate, or send Authorization: Bearer and a token.",
        "mtls+token": "Connect with a client certificate and send Authorization: Bearer and a token.",
    }[what]
    return NotAdmitted(401, code, f"{text} {more}".rstrip())


def _denied(bad: PeerRefused) -> NotAdmitted:
    """Return the refusal of a certificate. Only of the time alone is the caller told: it has proven
    to hold the key (R14)."""
    if bad.code != EXPIRED:
        return invalid(f"the certificate: {bad.why}", holder=bad.holder, reason=bad.code)
    text = f"The client certificate cannot be used any more: {bad.why}. Connect with a new one."
    return NotAdmitted(401, EXPIRED, text, bad.why, holder=bad.holder)
