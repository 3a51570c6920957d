"""The certificates of a simulated fleet: one for each agent, signed by a CA whose key is at hand.

As an agent's own host would, it keeps one for the life of the agent; who comes back under a new uid has a
new one.
"""

from __future__ import annotations

import os
import ssl
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=30)


class Certificates:
    """Contexts of TLS by uid. `server_ca` is a file; `agent_ca` a file beside its key (`.key`)."""

    def __init__(self, server_ca: Path, agent_ca: Path | None = None) -> None:
        self._server_ca = server_ca.read_text()
        self.anonymous = self._context()
        self._known: dict[bytes, ssl.SSLContext] = {}
        self._signer: x509.Certificate | None = None
        if agent_ca is not None:
            self._signer = x509.load_pem_x509_certificate(agent_ca.read_bytes())
            key = load_pem_private_key(agent_ca.with_suffix(".key").read_bytes(), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{agent_ca.with_suffix('.key')} is no key on an elliptic curve")
            self._key = key

    def of(self, uid: bytes) -> ssl.SSLContext:
        """Return what the agent of this uid connects with."""
        if self._signer is None:
            return self.anonymous
        if uid not in self._known:
            self._known[uid] = self._context()
            self._show(self._known[uid], self._signer, uid)
        return self._known[uid]

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self._server_ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    def _show(self, context: ssl.SSLContext, signer: x509.Certificate, uid: bytes) -> None:
        name, now, key = (
            str(uuid.UUID(bytes=uid)),
            datetime.now(UTC),
            ec.generate_private_key(_CURVE),
        )
        uri = x509.UniformResourceIdentifier(f"spiffe://tidegate/agent/{name}")
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(signer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(min(now + _LIFE, signer.not_valid_after_utc))
            .add_extension(x509.SubjectAlternativeName([uri]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        number = os.memfd_create("certificate", os.MFD_CLOEXEC)  # ssl takes files only
        try:
            os.write(number, secret + certificate.public_bytes(Encoding.PEM))
            context.load_cert_chain(f"/proc/self/fd/{number}")
        finally:
            os.close(number)


_CURVE = ec.SECP256R1()
