"""A key to sign configs with, made the first time: for `manage.py up`, and for trying it out."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_BITS = 3072


def kept_key(path: Path) -> Path:
    """Return `path`, which holds a private RSA key (PEM, mode 0600) from the first time on."""
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        draft.replace(path)
    return path
