"""What an issuer is asked and answers, and the check of each answer (security.md R21). Pure.

An issuer that imposes the identity gets the public key alone; what it returns is checked all the
same, because a certificate that does not fit would take its agent away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from agents.opamp.requests.signing_request import PublicKey, SigningRequest, spki
from console.lib.certificates import facts_of, read_pem
from console.lib.texts import SaidError, Text, text

BACKDATED = timedelta(minutes=5)
# A clock of an issuer may be ahead of ours by so much.
_SKEW = timedelta(minutes=5)


class IssuingFailed(SaidError):
    """The issuer gave no certificate. `may_pass`: trying again later can help."""

    def __init__(self, code: str, *, may_pass: bool, **params: object) -> None:
        super().__init__(code, **params)
        self.may_pass = may_pass


@dataclass(frozen=True, slots=True)
class Identity:
    """For whom a certificate is: the agent's uid within a trust domain."""

    domain: str
    uid: UUID

    @property
    def uri(self) -> str:
        """The URI that stands in the certificate."""
        return f"spiffe://{self.domain}/agent/{self.uid}"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate as an issuer returned it: PEM of the leaf and of what lies between it and the
    authority, and the PEM of the authority itself."""

    chain_pem: str
    authority_pem: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is kept of a certificate that passed the check. Times are aware, hashes hex."""

    pem: str
    fingerprint: str
    serial: str
    not_before: datetime
    not_after: datetime


class Issuer(Protocol):
    """Signs for agents. `name` is how pages and audit rows call it."""

    name: str

    def issue(
        self, request: SigningRequest, identity: Identity, lifetime: timedelta, now: datetime
    ) -> Issued:
        """Return a new certificate. Raises IssuingFailed."""

    def authority_pem(self) -> str:
        """Return the certificate that everything from here is signed under. Raises IssuingFailed."""


def checked(issued: Issued, key: PublicKey, identity: Identity, now: datetime) -> Leaf:
    """Return the leaf of an answer that fits what was asked. Raises IssuingFailed (R21)."""
    try:
        chain = read_pem(issued.chain_pem)
        [authority] = read_pem(issued.authority_pem)
        leaf, facts = chain[0], facts_of(chain[0])
        wrong = _wrong(leaf, key, identity, now)
        signers = [*chain[1:], authority]
        for one, signer in zip(chain, signers, strict=True):
            one.verify_directly_issued_by(signer)
    except Exception as error:
        raise IssuingFailed(
            "issuing.unfit", may_pass=False, why=f"{type(error).__name__}: {error}"
        ) from error
    if wrong is not None:
        raise IssuingFailed("issuing.unfit", may_pass=False, why=wrong)
    return Leaf(
        pem=issued.chain_pem,
        fingerprint=facts.fingerprint,
        serial=facts.serial,
        not_before=facts.not_before,
        not_after=facts.not_after,
    )


def _wrong(
    leaf: x509.Certificate, key: PublicKey, identity: Identity, now: datetime
) -> Text | None:
    """Return what does not fit, None for nothing."""
    extensions = leaf.extensions
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if spki(leaf.public_key()) != spki(key):  # type: ignore[arg-type]  # compared, not used
        return text("issuing.wrong_key")
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        return text("issuing.wrong_use")
    if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        return text("issuing.wrong_ca")
    if names.get_values_for_type(x509.UniformResourceIdentifier) != [identity.uri]:
        return text("issuing.wrong_name", name=identity.uri)
    if not leaf.not_valid_before_utc <= now + _SKEW < leaf.not_valid_after_utc:
        return text("issuing.wrong_time")
    return None
