"""Reading X.509 certificates: from PEM or DER to what the rest of the product asks of them.

Nothing here decides whom to trust (`agents.gateway.tls.verify` does). All of it is hostile text until
then: `read_*` raise ValueError, and nothing else.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from console.lib.texts import SaidError

_BLOCK = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s.*?-----END CERTIFICATE-----", re.DOTALL | re.ASCII
)


class NoCertificate(SaidError):
    """There is no certificate in this PEM, or one that cannot be read."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate as rows and pages know it. `fingerprint` is the SHA-256 of the DER in lower-case
    hex, `serial` is hex without a prefix; times are aware UTC."""

    fingerprint: str
    subject: str
    serial: str
    not_before: datetime
    not_after: datetime
    common_name: str
    uris: tuple[str, ...]
    is_v1: bool
    is_ca: bool


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the DER as 64 lower-case hex characters."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def facts_of(certificate: x509.Certificate) -> CertificateFacts:
    """Return the facts of one certificate. Raises ValueError when a part cannot be read."""
    return CertificateFacts(
        fingerprint=fingerprint_of(certificate),
        subject=certificate.subject.rfc4514_string(),
        serial=f"{certificate.serial_number:x}"[:64],
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        common_name=common_name_of(certificate),
        uris=_uris(certificate),
        is_v1=certificate.version is x509.Version.v1,
        is_ca=is_authority(certificate),
    )


def common_name_of(certificate: x509.Certificate) -> str:
    """Return the last common name of the subject, "" when it has none."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    value = found[-1].value if found else ""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def is_authority(certificate: x509.Certificate) -> bool:
    """Tell whether it says CA:TRUE: a version 1 certificate cannot, whoever signed it."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _uris(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.UniformResourceIdentifier))


def read_der(der: bytes) -> x509.Certificate:
    """Return the certificate. Raises ValueError."""
    try:
        return x509.load_der_x509_certificate(der)
    except (x509.InvalidVersion, TypeError) as bad:
        raise ValueError(str(bad)) from bad


def read_pem(pem: bytes | str) -> list[x509.Certificate]:
    """Return every certificate of a PEM text, in its order; text between them is passed over.

    Raises ValueError when there is none, or one cannot be read.
    """
    data = pem.encode() if isinstance(pem, str) else pem
    found = []
    for number, block in enumerate(_BLOCK.findall(data), start=1):
        try:
            found.append(x509.load_pem_x509_certificate(block))
        except (ValueError, x509.InvalidVersion) as bad:
            raise NoCertificate("pem.broken", number=number, why=str(bad)) from bad
    if not found:
        raise NoCertificate("pem.none")
    return found


def read_file(path: Path) -> list[x509.Certificate]:
    """Return every certificate of a PEM file. Raises OSError, ValueError."""
    return read_pem(path.read_bytes())


def to_pem(certificate: x509.Certificate) -> str:
    """Return one certificate as PEM text."""
    return certificate.public_bytes(Encoding.PEM).decode()
