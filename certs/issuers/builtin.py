"""The built-in authority: signs with a key in a file that only the issuer's worker can read.

The file must belong to it alone (security.md R3): a key that others can read is refused, with the
line that mends it. Nothing of a request but its public key goes into a certificate (R21).
"""

from __future__ import annotations

import stat
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agents.opamp.requests.signing_request import SigningRequest, spki
from certs.issuers.base import BACKDATED, Identity, Issued, IssuingFailed

SigningKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
_LEAST_RSA = 2048
_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
_PURPOSE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
_NO_AUTHORITY = x509.BasicConstraints(ca=False, path_length=None)


class BuiltinIssuer:
    """An authority whose key is at hand. Its certificate and key are read once."""

    name = "builtin"

    def __init__(self, authority: x509.Certificate, key: SigningKey) -> None:
        self._authority = authority
        self._key = key
        self._pem = authority.public_bytes(Encoding.PEM).decode()
        self._hash = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        self._key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())

    def authority_pem(self) -> str:
        return self._pem

    def issue(
        self, request: SigningRequest, identity: Identity, lifetime: timedelta, now: datetime
    ) -> Issued:
        """Return a new certificate; it never outlives the authority. Raises IssuingFailed."""
        ends = self._authority.not_valid_after_utc
        if now >= ends:
            raise IssuingFailed("issuing.authority_expired", may_pass=True, at=ends.isoformat())
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(identity.uid))]))
            .issuer_name(self._authority.subject)
            .public_key(request.public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(min(now + lifetime, ends))
            .add_extension(_NO_AUTHORITY, critical=True)
            .add_extension(_USAGE, critical=True)
            .add_extension(_PURPOSE, critical=False)
            .add_extension(self._key_id, critical=False)
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity.uri)]),
                critical=False,
            )
        )
        leaf = builder.sign(self._key, self._hash)
        return Issued(leaf.public_bytes(Encoding.PEM).decode(), self._pem)


def load_builtin(certificate_file: Path, key_file: Path) -> BuiltinIssuer:
    """Return the authority of two files. Raises IssuingFailed, each with what would mend it (R3)."""
    key = _read_key(key_file)
    authority = _read_certificate(certificate_file)
    if spki(authority.public_key()) != spki(key.public_key()):  # type: ignore[arg-type]  # compared, not used
        raise _refused("issuing.key_of_another", path=str(key_file), other=str(certificate_file))
    try:
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        constraints = _NO_AUTHORITY
    if not constraints.ca:
        raise _refused("issuing.no_authority", path=str(certificate_file))
    return BuiltinIssuer(authority, key)


def _read_key(path: Path) -> SigningKey:
    try:
        mode, data = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise _refused("issuing.no_file", path=str(path), why=error.strerror or "") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _refused("issuing.key_is_open", path=str(path), mode=f"{stat.S_IMODE(mode):04o}")
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise _refused("issuing.bad_key", path=str(path)) from error
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < _LEAST_RSA:
        raise _refused("issuing.small_key", path=str(path), bits=key.key_size)
    if not isinstance(
        key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
    ):
        raise _refused("issuing.bad_key", path=str(path))
    return key


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise _refused("issuing.no_file", path=str(path), why=error.strerror or "") from error
    except ValueError as error:
        raise _refused("issuing.bad_certificate", path=str(path)) from error


def _refused(code: str, **params: object) -> IssuingFailed:
    # A file can be mended while we wait.
    return IssuingFailed(code, may_pass=True, **params)
