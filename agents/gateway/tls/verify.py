"""Whether a client's certificate is good: the one function that says so (security.md R9).

OpenSSL does not look at times in the handshake, so that an expired certificate can be answered with a
sentence; and behind a proxy there is no handshake of ours at all. So everything is checked here, every
time: the chain to an authority that is trusted now, times, use, and the strength of keys.

`cryptography.x509.verification` does that but for two kinds of leaf that it knows none of: version 1,
which `openssl x509 -req` writes when it is given no extensions, and Ed25519. These are taken when an
authority of the bundle has signed them itself, without anything in between: then a chain is one
signature, and what a chain could hide (lengths, constraints) has no room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from console.lib.certificates import is_authority

MAX_CHAIN = 8
MIN_RSA_BITS = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_A_SECOND = timedelta(seconds=1)
# What is said of certificates that nothing else can be done with than refuse them.
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
)


@dataclass(frozen=True, slots=True)
class VerifiedPeer:
    """A good certificate and the trusted one that its chain ends at."""

    leaf: x509.Certificate
    anchor: x509.Certificate


class PeerRefused(Exception):
    """The certificate is not good. `code` is for counting, `why` for operators; neither is secret.

    `peer` is set where nothing but the time is wrong; `holder` then says whose it is, where that is
    known.
    """

    def __init__(
        self, code: str, why: str, peer: VerifiedPeer | None = None, holder: str = ""
    ) -> None:
        super().__init__(why)
        self.code, self.why, self.peer, self.holder = code, why, peer, holder


EXPIRED = "certificate_expired"
NOT_YET = "certificate_not_yet_valid"
UNTRUSTED = "certificate_untrusted"
WRONG_USE = "certificate_wrong_use"
WEAK = "certificate_weak"
UNREADABLE = "certificate_unreadable"
REVOKED = "certificate_revoked"
UNKNOWN = "certificate_unknown"


def verify_peer(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], now: datetime
) -> VerifiedPeer:
    """Return the client's certificate, the first of `chain`, if one of `anchors` vouches for it.

    What else is in `chain` may help to get there and is trusted for nothing. `now` is aware. Raises
    PeerRefused; one that is good but for its time says so, as its owner has proven to hold it.
    """
    if not 0 < len(chain) <= MAX_CHAIN:
        raise PeerRefused(UNREADABLE, f"a chain has 1 to {MAX_CHAIN} certificates")
    try:
        return _verify(chain[0], chain[1:], anchors, now)
    except _UNREADABLE as bad:
        raise PeerRefused(UNREADABLE, f"it cannot be read: {bad}") from bad


def _verify(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> VerifiedPeer:
    begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    # One that is out of its time is judged by its last or first second, and then refused for that.
    moment = min(max(now, begins), ends - _A_SECOND) if ends - begins > _A_SECOND else now
    _check_use(leaf)
    _check_key(leaf)
    try:
        verified = _verified_at(leaf, others, anchors, moment)
    except PeerRefused:
        if moment == now:
            raise
        # Its authority may have been issued anew since: who is late is told so all the same.
        verified = _signed_by_anchor(leaf, anchors, now)
    if now >= ends:
        raise PeerRefused(EXPIRED, f"it expired at {ends:%Y-%m-%d %H:%M} UTC", verified)
    if now < begins:
        why = f"it begins at {begins:%Y-%m-%d %H:%M} UTC: compare the clocks"
        raise PeerRefused(NOT_YET, why, verified)
    return verified


# --- What is asked of every leaf -----------------------------------------------------------------


def _check_use(leaf: x509.Certificate) -> None:
    """Raise PeerRefused unless the leaf may prove a client. What it does not say is not forbidden."""
    if is_authority(leaf):
        raise PeerRefused(WRONG_USE, "it is a CA's own certificate (CA:TRUE), not an agent's")
    for extension in leaf.extensions:
        value = extension.value
        if isinstance(value, x509.ExtendedKeyUsage) and not _is_for_clients(value):
            raise PeerRefused(WRONG_USE, "its extendedKeyUsage does not say clientAuth")
        if isinstance(value, x509.KeyUsage) and not value.digital_signature:
            raise PeerRefused(WRONG_USE, "its keyUsage does not say digitalSignature")
        if isinstance(value, x509.UnrecognizedExtension) and extension.critical:
            oid = extension.oid.dotted_string
            raise PeerRefused(WRONG_USE, f"it has a critical extension that is unknown here, {oid}")


def _is_for_clients(usages: x509.ExtendedKeyUsage) -> bool:
    wanted = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    return not wanted.isdisjoint(usages)


def _check_key(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            raise PeerRefused(WEAK, f"its RSA key has {key.key_size} bits, not {MIN_RSA_BITS}")
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, _CURVES):
            raise PeerRefused(WEAK, f"its key is on the curve {key.curve.name}, not P-256 to P-521")
    elif not isinstance(key, ed25519.Ed25519PublicKey):
        raise PeerRefused(WEAK, "its key is none of RSA, P-256, P-384, P-521 and Ed25519")


# --- Chains --------------------------------------------------------------------------------------


def _must_be_authority(
    _policy: Policy, _certificate: x509.Certificate, value: x509.BasicConstraints
) -> None:
    if not value.ca:
        raise ValueError("it is no CA")


def _must_sign(
    _policy: Policy, _certificate: x509.Certificate, value: x509.KeyUsage | None
) -> None:
    if value is not None and not value.key_cert_sign:
        raise ValueError("its keyUsage does not say keyCertSign")


def _must_sign_clients(
    _policy: Policy, _certificate: x509.Certificate, value: x509.ExtendedKeyUsage | None
) -> None:
    if value is not None and not _is_for_clients(value):
        raise ValueError("its extendedKeyUsage does not say clientAuth")


# Authorities made by plain openssl say CA:TRUE and often nothing more; a browser would want more.
_AUTHORITIES = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _must_be_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _must_sign)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _must_sign_clients)
)
_LEAVES = ExtensionPolicy.permit_all()  # `_check_use` has looked


def _verified_at(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    moment: datetime,
) -> VerifiedPeer:
    if _is_of_no_library(leaf):
        return _signed_by_anchor(leaf, anchors, moment)
    return _by_library(leaf, others, anchors, moment)


def _by_library(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    moment: datetime,
) -> VerifiedPeer:
    if not anchors:
        raise PeerRefused(UNTRUSTED, "no authority is trusted here")
    verifier = (
        PolicyBuilder()
        .store(Store(list(anchors)))
        .time(moment.astimezone(UTC).replace(tzinfo=None))
        .extension_policies(ca_policy=_AUTHORITIES, ee_policy=_LEAVES)
        .build_client_verifier()
    )
    try:
        chain = verifier.verify(leaf, list(others)).chain
    except VerificationError as bad:
        raise PeerRefused(UNTRUSTED, f"{_issuer(leaf)} does not vouch for it: {bad}") from bad
    for certificate in chain[1:]:
        _check_key(certificate)
    return VerifiedPeer(leaf, chain[-1])


def _is_of_no_library(leaf: x509.Certificate) -> bool:
    """Whether the library verifies no such leaf, however good it is."""
    is_v1 = leaf.version is x509.Version.v1
    has_ed25519 = isinstance(leaf.public_key(), ed25519.Ed25519PublicKey)
    return is_v1 or has_ed25519 or leaf.signature_hash_algorithm is None  # Ed25519 has no hash


def _signed_by_anchor(
    leaf: x509.Certificate, anchors: Sequence[x509.Certificate], moment: datetime
) -> VerifiedPeer:
    """Return the leaf if one of the anchors has signed it itself; see the top of this file."""
    algorithm = leaf.signature_hash_algorithm
    if algorithm is not None and not isinstance(algorithm, _HASHES):
        raise PeerRefused(WEAK, f"it is signed with {algorithm.name}, not SHA-256 or better")
    for anchor in anchors:
        if _has_signed(anchor, leaf) and _may_sign(anchor, moment):
            _check_key(anchor)
            return VerifiedPeer(leaf, anchor)
    kind = "version 1" if leaf.version is x509.Version.v1 else "Ed25519"
    why = f"no trusted authority has signed it itself ({kind}), and {_issuer(leaf)} is its issuer"
    raise PeerRefused(UNTRUSTED, why)


def _has_signed(anchor: x509.Certificate, leaf: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(anchor)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _may_sign(anchor: x509.Certificate, moment: datetime) -> bool:
    """Whether this authority may vouch for a leaf at this time. One with constraints on names may
    not: a version 1 leaf has none of the names that they speak of."""
    if not anchor.not_valid_before_utc <= moment <= anchor.not_valid_after_utc:
        return False
    values = [extension.value for extension in anchor.extensions]
    return is_authority(anchor) and not any(
        isinstance(value, x509.NameConstraints)
        or (isinstance(value, x509.KeyUsage) and not value.key_cert_sign)
        or (isinstance(value, x509.ExtendedKeyUsage) and not _is_for_clients(value))
        or (isinstance(value, x509.UnrecognizedExtension) and extension.critical)
        for value, extension in zip(values, anchor.extensions, strict=True)
    )


def _issuer(leaf: x509.Certificate) -> str:
    return leaf.issuer.rfc4514_string()[:80] or "its issuer"
