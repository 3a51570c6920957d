"""The server's certificate and key, and authorities that come as a file: read, and checked before they
are used (security.md R3, R7). What is wrong is said with the file, the reason and the mend."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from console.lib.certificates import is_authority, read_pem
from console.lib.texts import SaidError

MIN_RSA_BITS = 2048


class TlsProblem(SaidError):
    """These files cannot serve; `says` is what is wrong with which one, and the mend."""


@dataclass(frozen=True, slots=True)
class ServerPair:
    """The certificate that clients are shown, with what stands behind it in its file, and the key: as
    they were read, so that later files, broken ones perhaps, change nothing."""

    file: str
    key_file: str
    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)
    leaf: x509.Certificate
    names: frozenset[str]

    @property
    def has_names(self) -> bool:
        """Whether clients that look at the SAN only (all of them, by now) can verify it."""
        return bool(self.names)


def read_pair(certificate: Path, key: Path) -> ServerPair:
    """Return the server's pair. Raises TlsProblem when it cannot serve; one that has expired can be
    read, see `check_successor`."""
    chain = _read(certificate, "tls.certificate_unreadable")
    leaf = _certificates(chain, certificate, "tls.certificate_unreadable")[0]
    _check_mode(key)
    secret = _read(key, "tls.key_unreadable")
    _check_key(secret, key, leaf, certificate)
    return ServerPair(str(certificate), str(key), chain, secret, leaf, _names(leaf))


def check_successor(new: ServerPair, old: ServerPair, now: datetime) -> None:
    """Raise TlsProblem unless `new` may take the place of `old`: agents know the server by a name."""
    ends = new.leaf.not_valid_after_utc
    if now >= ends:
        raise TlsProblem("tls.expired", file=new.file, ends=f"{ends:%Y-%m-%d %H:%M}")
    if old.names and new.names.isdisjoint(old.names):
        names = ", ".join(sorted(old.names))
        raise TlsProblem("tls.other_names", file=new.file, names=names)


def read_authorities(path: Path) -> list[x509.Certificate]:
    """Return the authorities of a bundle file. Raises TlsProblem."""
    found = _certificates(_read(path, "tls.bundle_unreadable"), path, "tls.bundle_unreadable")
    for certificate in found:
        if not is_authority(certificate):
            subject = certificate.subject.rfc4514_string()
            raise TlsProblem("tls.no_authority", file=str(path), subject=subject)
    return found


def content_of(*paths: Path | None) -> tuple[bytes, ...]:
    """Return what the files hold, to be compared: a name may stay and mean another file."""
    return tuple(_content(path) for path in paths if path is not None)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as bad:
        return str(bad).encode()


def _read(path: Path, code: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as bad:
        raise TlsProblem(code, file=str(path), why=_why(bad)) from bad


def _certificates(data: bytes, path: Path, code: str) -> list[x509.Certificate]:
    try:
        return read_pem(data)
    except ValueError as bad:
        raise TlsProblem(code, file=str(path), why=str(bad)) from bad


def _check_mode(key: Path) -> None:
    try:
        mode = key.stat().st_mode & 0o777
    except OSError as bad:
        raise TlsProblem("tls.key_unreadable", file=str(key), why=_why(bad)) from bad
    if mode & 0o077:
        raise TlsProblem("tls.key_open", file=str(key), mode=f"{mode:04o}")


def _check_key(data: bytes, path: Path, leaf: x509.Certificate, certificate: Path) -> None:
    try:
        key = load_pem_private_key(data, None)
        leaf_key = leaf.public_key()
    except TypeError as bad:
        raise TlsProblem("tls.key_encrypted", file=str(path)) from bad
    except (ValueError, UnsupportedAlgorithm) as bad:
        raise TlsProblem("tls.key_unreadable", file=str(path), why=str(bad)) from bad
    forms = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*forms) != leaf_key.public_bytes(*forms):
        raise TlsProblem("tls.key_of_another", file=str(path), certificate=str(certificate))
    if isinstance(leaf_key, rsa.RSAPublicKey) and leaf_key.key_size < MIN_RSA_BITS:
        raise TlsProblem("tls.key_weak", file=str(path), bits=leaf_key.key_size, least=MIN_RSA_BITS)


def _names(leaf: x509.Certificate) -> frozenset[str]:
    """Return the DNS names and addresses of the SAN, in lower case."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    hosts = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    return frozenset(hosts) | {str(ip) for ip in names.get_values_for_type(x509.IPAddress)}


def _why(bad: OSError) -> str:
    return bad.strerror or str(bad)
