"""Certificate requests (CSR) of agents: what is taken from one, and what is refused. Pure.

Of a request only the public key is ever used (security.md R21), and a uid it names is compared with
that of the message (OP-46). Whatever else it asks for (a CA, names, extensions) has no effect.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from console.lib.texts import SaidError

MAX_BYTES = 16 * 1024
_CURVES = (ec.SECP256R1, ec.SECP384R1)
_LEAST_RSA, _MOST_RSA = 2048, 4096
_BEGIN = b"-----BEGIN "
_LABELS = (b"CERTIFICATE REQUEST-----", b"NEW CERTIFICATE REQUEST-----")
# The whole of a text or the last step of a URI, so that a UUID within a host name names nobody.
_UUID = re.compile(
    r"(?:^|[/:])([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})$", re.IGNORECASE
)

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


class BadSigningRequest(SaidError):
    """The request is not taken; says what was read and what would be right."""


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """What counts of a request: its key, the uids it names, and the SHA-256 of its DER, in hex."""

    public_key: PublicKey
    uids: tuple[UUID, ...]
    digest: str

    @property
    def spki(self) -> bytes:
        """The public key as DER (SubjectPublicKeyInfo): equal for equal keys."""
        return spki(self.public_key)


def spki(key: PublicKey) -> bytes:
    """Return a public key as DER (SubjectPublicKeyInfo)."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def read_signing_request(pem: bytes) -> SigningRequest:
    """Return the request in a PEM text. Raises BadSigningRequest (security.md R21; OP-45)."""
    if len(pem) > MAX_BYTES:
        raise BadSigningRequest("csr.too_large", size=len(pem), most=MAX_BYTES)
    blocks = pem.count(_BEGIN)
    if blocks != 1 or not pem.strip().startswith(tuple(_BEGIN + label for label in _LABELS)):
        raise BadSigningRequest("csr.not_one_block", blocks=blocks)
    try:
        found = x509.load_pem_x509_csr(pem)
        key = found.public_key()
        is_signed = found.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature):
        raise BadSigningRequest("csr.unreadable") from None
    if not is_signed:
        raise BadSigningRequest("csr.bad_signature")
    digest = hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest()
    return SigningRequest(_accepted(key), _named(found), digest)


def require_uid(request: SigningRequest, uid: UUID) -> None:
    """Raise BadSigningRequest when the request names another uid than its message (OP-46)."""
    for named in request.uids:
        if named != uid:
            raise BadSigningRequest("csr.other_uid", named=str(named), uid=str(uid))


def _accepted(key: object) -> PublicKey:
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, rsa.RSAPublicKey):
        if _LEAST_RSA <= key.key_size <= _MOST_RSA:
            return key
        raise BadSigningRequest("csr.rsa_size", bits=key.key_size)
    raise BadSigningRequest("csr.key_kind")


def _named(found: x509.CertificateSigningRequest) -> tuple[UUID, ...]:
    """Return the uids in the common name and among the URIs. What cannot be read names nobody: it
    is not taken over either."""
    texts = [str(one.value) for one in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        texts += names.get_values_for_type(x509.UniformResourceIdentifier)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        pass
    matches = (_UUID.search(text) for text in texts)
    return tuple(dict.fromkeys(UUID(match[1]) for match in matches if match))
