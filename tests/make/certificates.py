"""Certificates for tests, made here: no file of keys is in the repository."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from console.lib.certificate_making import Life, Pair, make_authority, make_client, make_server

DOMAIN = "tidegate.test"


def life(begins_in_d: float = -1, ends_in_d: float = 30) -> Life:
    """Return a life from so many days from now to so many."""
    now = datetime.now(UTC)
    return Life(now + timedelta(days=begins_in_d), now + timedelta(days=ends_in_d))


def authority(name: str = "Test CA", depth: int = 0) -> Pair:
    """Return a CA; with a depth it may sign further ones."""
    made = make_authority(name, life(-30))
    return resigned(made, made, x509.BasicConstraints(True, depth)) if depth else made


def sub_authority(ca: Pair, name: object) -> Pair:
    """Return a CA that this one has signed."""
    made = make_authority(str(name), life())
    return resigned(ca, made, x509.BasicConstraints(True, 0))


def resigned(ca: Pair, made: Pair, constraints: x509.BasicConstraints) -> Pair:
    """Return a certificate as it is but for who signed it and its basic constraints."""
    builder = x509.CertificateBuilder(
        issuer_name=ca.certificate.subject,
        subject_name=made.certificate.subject,
        public_key=made.key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=made.certificate.not_valid_before_utc,
        not_valid_after=made.certificate.not_valid_after_utc,
    )
    for extension in made.certificate.extensions:
        value: x509.ExtensionType = extension.value
        if isinstance(value, x509.BasicConstraints):
            value = constraints
        builder = builder.add_extension(value, extension.critical)
    return Pair(builder.sign(ca.key, hashes.SHA256()), made.key)


def server(ca: Pair, *hosts: str, lasting: Life | None = None) -> Pair:
    return make_server(ca, hosts or ("127.0.0.1", "localhost"), lasting or life())


def uri_of(uid: object) -> str:
    return f"spiffe://{DOMAIN}/agent/{uid}"


def client(ca: Pair, uid: object, begins_in_d: float = -1, ends_in_d: float = 30) -> Pair:
    """Return the certificate of the agent with this uid."""
    return make_client(ca, str(uid), [uri_of(uid)], life(begins_in_d, ends_in_d))


def reissued(ca: Pair, begins_in_d: float = -1, ends_in_d: float = 30) -> Pair:
    """Return the same authority, name and key, with another life."""
    until = life(begins_in_d, ends_in_d)
    builder = x509.CertificateBuilder(
        issuer_name=ca.certificate.issuer,
        subject_name=ca.certificate.subject,
        public_key=ca.key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=until.begins,
        not_valid_after=until.ends,
        extensions=list(ca.certificate.extensions),
    )
    return Pair(builder.sign(ca.key, hashes.SHA256()), ca.key)
