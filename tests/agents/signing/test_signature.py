"""SEC-21: our signatures verify with openssl and openssl's with us; what differs by a hair does not."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from agents.signing.signature import (
    key_id,
    public_pem,
    read_public_key,
    sign,
    signed_bytes,
    verifies,
)
from tests.make.signing import key_file, make_key, openssl

HASH = hashlib.sha256(b"receivers: {}\n").hexdigest()
KEY = make_key()


def test_sec_21_what_openssl_signs_is_the_same_bytes(tmp_path: Path) -> None:
    made = openssl("dgst", "-sha256", "-sign", key_file(tmp_path), stdin=HASH.encode())
    assert base64.b64encode(made).decode() == sign(KEY, signed_bytes(HASH))


def test_sec_21_openssl_verifies_what_we_sign(tmp_path: Path) -> None:
    public, signature = tmp_path / "public.pem", tmp_path / "signature"
    public.write_text(public_pem(KEY.public_key()))
    signature.write_bytes(base64.b64decode(sign(KEY, signed_bytes(HASH))))
    said = openssl(
        *("dgst", "-sha256", "-verify", public, "-signature", signature), stdin=HASH.encode()
    )
    assert said == b"Verified OK\n"
    with pytest.raises(subprocess.CalledProcessError):
        openssl(
            *("dgst", "-sha256", "-verify", public, "-signature", signature),
            stdin=HASH.encode() + b"\n",
        )


@pytest.mark.parametrize(
    "content",
    [HASH.encode() + b"\n", HASH.upper().encode(), bytes.fromhex(HASH), b"receivers: {}\n"],
    ids=["newline", "upper case", "raw hash", "file instead of hash"],
)
def test_sec_21_a_signature_over_something_else_does_not_verify(content: bytes) -> None:
    assert not verifies(KEY.public_key(), sign(KEY, content), signed_bytes(HASH))


def test_sec_21_pss_does_not_verify() -> None:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    made = base64.b64encode(KEY.sign(signed_bytes(HASH), pss, hashes.SHA256())).decode()
    assert not verifies(KEY.public_key(), made, signed_bytes(HASH))


@pytest.mark.parametrize("signature", ["", "no base64 !", "AAAA", "ä"])
def test_rubbish_is_no_signature_and_no_error(signature: str) -> None:
    assert not verifies(KEY.public_key(), signature, signed_bytes(HASH))


def test_another_key_does_not_verify() -> None:
    assert not verifies(make_key(1).public_key(), sign(KEY, signed_bytes(HASH)), signed_bytes(HASH))


def test_a_key_is_known_by_its_digest(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    der = openssl("pkey", "-in", path, "-pubout", "-outform", "DER")
    assert key_id(KEY.public_key()) == hashlib.sha256(der).hexdigest()[:32]


def test_only_rsa_of_2048_bits_or_more_is_a_key() -> None:
    weak = openssl("genrsa", "1024")
    pem = openssl("rsa", "-pubout", stdin=weak).decode()
    with pytest.raises(ValueError, match="1024 bits; 2048"):
        read_public_key(pem)
    curve = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    with pytest.raises(ValueError, match="not RSA"):
        read_public_key(openssl("ec", "-pubout", stdin=curve).decode())
    with pytest.raises(ValueError, match="no public key"):
        read_public_key("-----BEGIN NONSENSE-----")
