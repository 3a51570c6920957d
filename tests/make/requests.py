"""Certificate requests of agents, as clients make them."""

from __future__ import annotations

import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def csr(
    key: Key | None = None,
    name: str = "",
    *extensions: x509.ExtensionType,
    uid: uuid.UUID | None = None,
) -> bytes:
    """Return a signed request in PEM; with `uid` it names that uid as its common name."""
    common = str(uid) if uid is not None else name or "edge-1"
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    signer = key or new_key()
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer, digest).public_bytes(Encoding.PEM)
