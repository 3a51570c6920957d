"""Keys that sign configs, as files of openssl, and versions that they signed."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from agents.models import SignedVersion, SigningKey
from agents.signing.signature import key_id, public_pem, sign, signed_bytes
from rollouts.models import ConfigVersion
from tests.make.times import NOW


@cache
def make_key(which: int = 0) -> rsa.RSAPrivateKey:
    """Return one of several keys; the same one for the same number, since making one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file(folder: Path, key: rsa.RSAPrivateKey | None = None) -> Path:
    """Write a private key as openssl does, readable by us only."""
    path = folder / "signing.pem"
    path.touch(mode=0o600)
    path.write_bytes(
        (key or make_key()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def openssl(*words: str | Path, stdin: bytes = b"") -> bytes:
    """Run the real openssl; return what it prints. Raises CalledProcessError."""
    done = subprocess.run(
        ["openssl", *map(str, words)], input=stdin, capture_output=True, check=True
    )
    return done.stdout


def make_trusted(key: rsa.RSAPrivateKey, *, is_ours: bool = True) -> SigningKey:
    """Create the row of a key that is believed."""
    public = key.public_key()
    row, _ = SigningKey.objects.get_or_create(
        key_id=key_id(public),
        defaults={
            "name": "signer",
            "public_pem": public_pem(public),
            "is_ours": is_ours,
            "added_at": NOW,
            "added_by": "system",
        },
    )
    return row


def make_signed(
    config_hash: str, *, config: str = "edge", version: int = 1, signature: str | None = None
) -> SignedVersion:
    """Create the signature of a stored body, by the first key unless one is given."""
    key = make_trusted(make_key())
    made = sign(make_key(), signed_bytes(config_hash)) if signature is None else signature
    return SignedVersion.objects.create(
        config_name=config,
        version=version,
        body_id=config_hash,
        key=key,
        signature=made,
        origin=SignedVersion.Origin.SIGNER,
        asked_at=NOW,
        signed_at=NOW,
    )


def make_unsigned(version: ConfigVersion) -> SignedVersion:
    """Create the row that waits for the signer, as an upload makes it."""
    return SignedVersion.objects.create(
        config_name=version.config.name,
        version=version.number,
        body_id=version.config_hash,
        asked_at=NOW,
    )
