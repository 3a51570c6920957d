"""The signature of a config: RSA PKCS#1 v1.5 with SHA-256 over its hash as text (R32). Pure.

What is signed is the 64 ASCII characters of the hash without a newline, so that these give the same
bytes: `printf %s HASH | openssl dgst -sha256 -sign KEY | base64 -w0`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from console.lib.texts import SaidError

MIN_KEY_BITS = 2048
_KID_CHARACTERS = 32


class BadKey(SaidError):
    """This cannot be a key that signs configs; says why."""


def read_public_key(pem: str) -> rsa.RSAPublicKey:
    """Return the key of a PEM text. Raises BadKey for anything but one RSA public key of 2048 bits or
    more."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnicodeEncodeError) as error:
        raise BadKey("key.no_public_pem") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadKey("key.not_rsa")
    if key.key_size < MIN_KEY_BITS:
        raise BadKey("key.weak", bits=key.key_size, least=MIN_KEY_BITS)
    return key


def public_pem(key: rsa.RSAPublicKey) -> str:
    """Return the one PEM text of a key."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def key_id(key: rsa.RSAPublicKey) -> str:
    """Return the id that signatures name: the first 32 hex digits of the SHA-256 of the key (DER)."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()[:_KID_CHARACTERS]


def signed_bytes(config_hash: str) -> bytes:
    """Return what the signature of a config is made over."""
    return config_hash.encode("ascii")


def sign(key: rsa.RSAPrivateKey, content: bytes) -> str:
    """Return the signature over `content`, in base64 without line breaks."""
    made = key.sign(content, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(made).decode()


def verifies(key: rsa.RSAPublicKey, signature: str, content: bytes) -> bool:
    """Tell whether `signature` (base64) was made over exactly `content` by the owner of `key`."""
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, content, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
