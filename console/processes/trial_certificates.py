"""Files of certificates for trying out, and the openssl commands that make the same (security.md R5).

Two roots, as agents trust one and the gateway the other (R4). Keys are written with mode 0600 and never
overwritten: what was handed out stays good.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from console.lib.certificate_making import (
    Life,
    Pair,
    is_address,
    make_authority,
    make_client,
    make_server,
)
from console.lib.certificates import read_pem

SERVER_CA, AGENT_CA = "server-ca", "agent-ca"
_BACKDATED = timedelta(minutes=5)
_RENEWED_BEFORE = timedelta(days=30)
_NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"


class FilesProblem(ValueError):
    """A file is there already, or one that is needed is not."""


@dataclass(frozen=True, slots=True)
class Made:
    """Files that were made, and how openssl makes the same in their folder."""

    files: tuple[Path, ...]
    commands: tuple[str, ...]


def make_authorities(folder: Path, days: int) -> Made:
    """Make both roots. Raises FilesProblem, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    commands = []
    for name, title in ((SERVER_CA, "Tidegate server CA"), (AGENT_CA, "Tidegate agent CA")):
        files += _write(folder, name, make_authority(title, _life(days)))
        commands.append(
            f"openssl req -x509 {_NEW_KEY} -keyout {name}.key -out {name}.crt -days {days} "
            f'-subj "/CN={title}" -addext "keyUsage=critical,keyCertSign,cRLSign"'
        )
    return Made(tuple(files), tuple(commands))


def make_server_files(folder: Path, hosts: Sequence[str], days: int) -> Made:
    """Make the gateway's certificate for these names and addresses. Raises FilesProblem, OSError."""
    pair = make_server(_authority(folder, SERVER_CA), hosts, _life(days))
    names = ",".join(f"{'IP' if is_address(host) else 'DNS'}:{host}" for host in hosts)
    commands = _signed("server", SERVER_CA, hosts[0], names, "serverAuth", days)
    return Made(_write(folder, "server", pair), commands)


def make_agent_files(folder: Path, uid: uuid.UUID, domain: str, days: int) -> Made:
    """Make the certificate of the agent with this instance_uid. Raises FilesProblem, OSError."""
    uri = f"spiffe://{domain}/agent/{uid}"
    pair = make_client(_authority(folder, AGENT_CA), str(uid), [uri], _life(days))
    commands = _signed(f"agent-{uid}", AGENT_CA, str(uid), f"URI:{uri}", "clientAuth", days)
    return Made(_write(folder, f"agent-{uid}", pair), commands)


def ensure_server_files(folder: Path, hosts: Sequence[str]) -> None:
    """Make both roots and the gateway's certificate where they are not yet, and the latter anew when
    it is about to end. Raises FilesProblem, OSError."""
    if not (folder / f"{AGENT_CA}.crt").exists():
        make_authorities(folder, days=3650)
    certificate = folder / "server.crt"
    if certificate.exists():
        ends = read_pem(certificate.read_bytes())[0].not_valid_after_utc
        if ends - datetime.now(UTC) > _RENEWED_BEFORE:
            return
        certificate.unlink()
        (folder / "server.key").unlink(missing_ok=True)
    make_server_files(folder, hosts, days=365)


def _signed(name: str, ca: str, subject: str, names: str, usage: str, days: int) -> tuple[str, str]:
    return (
        f'openssl req -new {_NEW_KEY} -keyout {name}.key -out {name}.csr -subj "/CN={subject}" '
        f'-addext "subjectAltName={names}" -addext "extendedKeyUsage={usage}"',
        f"openssl x509 -req -in {name}.csr -CA {ca}.crt -CAkey {ca}.key -CAcreateserial "
        f"-days {days} -copy_extensions copy -out {name}.crt",
    )


def _life(days: int) -> Life:
    now = datetime.now(UTC)
    return Life(now - _BACKDATED, now + timedelta(days=days))


def _authority(folder: Path, name: str) -> Pair:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    try:
        found = load_pem_private_key(key.read_bytes(), None)
        signer = read_pem(certificate.read_bytes())[0]
    except FileNotFoundError as bad:
        raise FilesProblem(
            f"{bad.filename} is not there: make both CAs first with `manage.py certs init`"
        ) from bad
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise FilesProblem(f"{key} is no P-256 key; sign with openssl, or make new CAs")
    return Pair(signer, found)


def _write(folder: Path, name: str, pair: Pair) -> tuple[Path, Path]:
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    for path in (key, certificate):
        if path.exists():
            raise FilesProblem(f"{path} is there already; it is kept. Choose another --dir")
    descriptor = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pair.key_pem)
    certificate.write_text(pair.pem)
    return certificate, key
