"""Who shows a certificate: verified first, then by the registry, then by its authority's rule (R22)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agents.gateway.database import Database
from agents.gateway.options import TlsOptions
from agents.gateway.principal import Principal, Proof
from agents.gateway.tls.bundle import Anchor, Bundle, make_bundle, read_bundle_file, read_rows
from agents.gateway.tls.files import TlsProblem
from agents.gateway.tls.identity import RuledIdentity, identity_by_rule
from agents.gateway.tls.registry import CertificateRegistry, Registered
from agents.gateway.tls.verify import (
    REVOKED,
    UNKNOWN,
    UNREADABLE,
    PeerRefused,
    VerifiedPeer,
    verify_peer,
)
from agents.models import AgentCertificate
from agents.opamp.uids import as_text
from console.lib.certificates import CertificateFacts, facts_of, fingerprint_of, read_der

logger = logging.getLogger(__name__)

_MAX_WARNED = 10_000


@dataclass(frozen=True, slots=True)
class _Shown:
    """A certificate that one of the anchors vouches for."""

    facts: CertificateFacts
    anchor: Anchor


class Certificates:
    """Says whose a certificate is, by what was read last. `bundle` is what is trusted now."""

    def __init__(self, database: Database, tls: TlsOptions | None) -> None:
        self._database = database
        self._tls = tls
        self.bundle = Bundle()
        self.registry = CertificateRegistry(database)
        self._warned: set[str] = set()

    async def reload(self) -> bool:
        """Read what has changed. True when somebody may have lost their trust. Raises AWAY."""
        rows = await read_rows(self._database)
        try:
            from_file = read_bundle_file(self._tls)
        except TlsProblem as bad:
            # The old ones stay, as with the server's own files.
            logger.error("The file of authorities cannot be used: %s", bad)
            from_file = [a for a in self.bundle.anchors.values() if a.authority_id is None]
        before, self.bundle = self.bundle, make_bundle([*rows, *from_file])
        return bool(await self.registry.read()) | (before != self.bundle)

    def known(self, chain: Sequence[bytes], now: datetime) -> Principal | None:
        """Return who shows this chain (DER, the leaf first); None when only the database can tell.

        Raises PeerRefused.
        """
        shown = self._verified(chain, now)
        registered = self.registry.get(shown.facts.fingerprint)
        if registered is None and shown.anchor.rule is None:
            return None
        return self._principal(shown, registered)

    async def find(self, chain: Sequence[bytes], now: datetime) -> Principal:
        """Return who shows this chain, asking the database. Raises PeerRefused, AWAY."""
        shown = self._verified(chain, now)
        return self._principal(shown, await self.registry.find(shown.facts.fingerprint))

    def stands(self, principal: Principal) -> bool:
        """Tell whether a certificate that was good at the door is so still, but for its time."""
        if principal.authority not in self.bundle.anchors:
            return False
        registered = self.registry.get(principal.fingerprint)
        return registered is None or not registered.is_revoked

    def _verified(self, chain: Sequence[bytes], now: datetime) -> _Shown:
        try:
            certificates = [read_der(der) for der in chain]
        except ValueError as bad:
            raise PeerRefused(UNREADABLE, f"it cannot be read: {bad}") from bad
        try:
            return self._shown(verify_peer(certificates, self.bundle.certificates, now))
        except PeerRefused as bad:
            if bad.peer is not None:
                bad.holder = self._holder(self._shown(bad.peer))
            raise

    def _shown(self, peer: VerifiedPeer) -> _Shown:
        return _Shown(facts_of(peer.leaf), self.bundle.anchors[fingerprint_of(peer.anchor)])

    def _holder(self, shown: _Shown) -> str:
        """Return how the one who holds it is called, for operators."""
        identity = _by_rule(shown)
        if identity is None:
            return shown.facts.common_name
        return as_text(identity.uid) if identity.uid else identity.name

    def _principal(self, shown: _Shown, registered: Registered | None) -> Principal:
        facts = shown.facts
        if registered is not None and registered.is_revoked:
            raise PeerRefused(REVOKED, "it was revoked", holder=self._holder(shown))
        agent_id = registered.agent_id if registered is not None else None
        identity = _by_rule(shown) if agent_id is None else RuledIdentity()
        if identity is None:
            raise PeerRefused(UNKNOWN, _nobodys(shown), holder=self._holder(shown))
        self._warn(facts)
        return Principal(
            kind=Proof.CERTIFICATE,
            credential_id=facts.fingerprint[: AgentCertificate.SHOWN_DIGITS],
            agent_id=agent_id,
            labels=dict(shown.anchor.labels),
            not_after=facts.not_after.timestamp(),
            uid=identity.uid,
            holder=identity.name,
            fingerprint=facts.fingerprint,
            authority=shown.anchor.fingerprint,
        )

    def _warn(self, facts: CertificateFacts) -> None:
        """Say once of each certificate of version 1 that it should be replaced."""
        if not facts.is_v1 or facts.fingerprint in self._warned:
            return
        if len(self._warned) < _MAX_WARNED:
            self._warned.add(facts.fingerprint)
        logger.warning(
            "A certificate of version 1 was let in: it says neither whose it is nor what for",
            extra={"subject": facts.subject, "fingerprint": facts.fingerprint},
        )


def _by_rule(shown: _Shown) -> RuledIdentity | None:
    rule = shown.anchor.rule
    return identity_by_rule(rule, shown.facts) if rule is not None else None


def _nobodys(shown: _Shown) -> str:
    if shown.anchor.rule is None:
        return "it is not registered, and its authority has no rule that says whose it is"
    return "its authority's rule fits neither its URIs nor its common name"


def utc(seconds: float) -> datetime:
    """Return the aware time of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
