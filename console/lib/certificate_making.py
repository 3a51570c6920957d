"""Making certificates for trying out: a CA, a server's, an agent's (security.md R5). All P-256.

`manage.py certs` writes them to files and prints the openssl commands that make the same. A fleet's own
certificates are issued by the `certs` app.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from console.lib.certificates import to_pem

_NO_USAGE = {
    "digital_signature": False,
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "key_cert_sign": False,
    "crl_sign": False,
    "encipher_only": False,
    "decipher_only": False,
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return to_pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """The key as PKCS#8, not encrypted: for a file of mode 0600."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class Life:
    """From when to when a certificate is valid; aware."""

    begins: datetime
    ends: datetime


def make_authority(name: str, life: Life) -> Pair:
    """Return a CA that signs leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    builder = (
        _builder(_subject(name), _subject(name), life)
        .public_key(public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(**{**_NO_USAGE, "key_cert_sign": True, "crl_sign": True}), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def make_server(authority: Pair, hosts: Iterable[str], life: Life) -> Pair:
    """Return a server's certificate for these names and addresses."""
    names = [_host(host) for host in hosts]
    first = names[0].value
    return _leaf(authority, str(first), names, ExtendedKeyUsageOID.SERVER_AUTH, life)


def make_client(authority: Pair, name: str, uris: Iterable[str], life: Life) -> Pair:
    """Return an agent's certificate with these URIs in its SAN."""
    names = [x509.UniformResourceIdentifier(uri) for uri in uris]
    return _leaf(authority, name, names, ExtendedKeyUsageOID.CLIENT_AUTH, life)


def _leaf(
    authority: Pair,
    name: str,
    names: list[x509.DNSName | x509.IPAddress] | list[x509.UniformResourceIdentifier],
    usage: x509.ObjectIdentifier,
    life: Life,
) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = authority.key.public_key()
    builder = (
        _builder(_subject(name), authority.certificate.subject, life)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{**_NO_USAGE, "digital_signature": True}), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(subject: x509.Name, issuer: x509.Name, life: Life) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(life.begins)
        .not_valid_after(life.ends)
    )


def _subject(name: str) -> x509.Name:
    # A common name has at most 64 characters.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def is_address(host: str) -> bool:
    """Tell whether this is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host(host: str) -> x509.DNSName | x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_address(host)) if is_address(host) else x509.DNSName(host)
