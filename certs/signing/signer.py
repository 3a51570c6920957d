"""Who signs: a key file of the issuer worker, or a command in front of a key kept elsewhere (KMS, HSM).

Nothing but the issuer worker comes here: gateway and console know public keys only (security.md
section 1).
"""

from __future__ import annotations

import shlex
import stat
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from agents.signing.signature import MIN_KEY_BITS, BadKey, read_public_key, sign, verifies
from console.lib.texts import SaidError

_COMMAND_TIMEOUT_S = 10.0
_MOST_OUTPUT = 4096


class CannotSign(SaidError):
    """The signer is set up and cannot be used; says why, and what would be right."""


class Signer(Protocol):
    """Makes signatures; `public_key` is what they are checked with."""

    @property
    def public_key(self) -> rsa.RSAPublicKey: ...

    def sign(self, content: bytes) -> str:
        """Return the signature in base64. Raises CannotSign."""
        ...


@dataclass(frozen=True, slots=True)
class KeyFile:
    """Signs with a private key in memory."""

    private_key: rsa.RSAPrivateKey

    @property
    def public_key(self) -> rsa.RSAPublicKey:
        return self.private_key.public_key()

    def sign(self, content: bytes) -> str:
        return sign(self.private_key, content)


@dataclass(frozen=True, slots=True)
class SignerCommand:
    """Signs by a command: it gets the bytes on standard input and writes the signature in base64."""

    words: tuple[str, ...]
    public_key: rsa.RSAPublicKey

    def sign(self, content: bytes) -> str:
        try:
            # The words come from the settings of the operator; no shell reads them.
            done = subprocess.run(  # noqa: S603
                self.words,
                input=content,
                capture_output=True,
                timeout=_COMMAND_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CannotSign("signer.did_not_run", command=self.words[0], why=str(error)) from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[:300]
            raise CannotSign(
                "signer.failed", command=self.words[0], status=done.returncode, said=said
            )
        signature = "".join(done.stdout[:_MOST_OUTPUT].decode(errors="replace").split())
        if not verifies(self.public_key, signature, content):
            raise CannotSign("signer.other_key", command=self.words[0])
        return signature


def configured() -> Signer | None:
    """Return the signer of the settings, or None when there is none. Raises CannotSign."""
    path, command = settings.CONFIG_SIGNING_KEY_FILE, settings.CONFIG_SIGNER_COMMAND
    if not path:
        if command:
            raise CannotSign("signer.no_public_key")
        return None
    if command:
        return SignerCommand(tuple(shlex.split(command)), _public(Path(path)))
    return _private(Path(path), _stamp(Path(path)))


def _stamp(path: Path) -> tuple[int, int]:
    """Return what changes with the file, so that a new key is seen. Raises CannotSign."""
    try:
        found = path.stat()
    except OSError as error:
        raise CannotSign("signer.unreadable", path=str(path), why=str(error.strerror)) from error
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CannotSign("signer.open_to_others", path=str(path), mode=f"{found.st_mode & 0o777:o}")
    return found.st_mtime_ns, found.st_ino


@lru_cache(maxsize=1)
def _private(path: Path, stamp: tuple[int, int]) -> KeyFile:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise CannotSign("signer.no_private_key", path=str(path)) from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
        raise CannotSign("signer.weak_key", path=str(path), least=MIN_KEY_BITS)
    return KeyFile(key)


def _public(path: Path) -> rsa.RSAPublicKey:
    try:
        return read_public_key(path.read_text())
    except BadKey as error:
        raise CannotSign("signer.bad_public_key", path=str(path), why=error.says) from error
    except (OSError, UnicodeDecodeError) as error:
        raise CannotSign("signer.unreadable", path=str(path), why=str(error)) from error
