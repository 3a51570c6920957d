"""The built-in authority: what it signs, what it refuses to start with (SEC-14, SEC-15, SEC-39)."""

from __future__ import annotations

import os
import statistics
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from agents.opamp.requests.signing_request import read_signing_request, spki
from certs.issuers.base import Identity, Issued, IssuingFailed, checked
from certs.issuers.builtin import BuiltinIssuer, load_builtin
from console.lib.certificate_making import Pair, make_authority
from tests.make.certificates import authority, client, life
from tests.make.requests import csr, key_pem, new_key

NOW = datetime.now(UTC).replace(microsecond=0)
UID = uuid.UUID("0190a1b2-0000-7000-8000-000000000001")
WHO = Identity("tidegate.test", UID)
MONTH = timedelta(days=20)
CA = authority()


def issuer(pair: Pair = CA) -> BuiltinIssuer:
    return BuiltinIssuer(pair.certificate, pair.key)


def leaf_of(pem: bytes, lifetime: timedelta = MONTH, pair: Pair = CA) -> x509.Certificate:
    issued = issuer(pair).issue(read_signing_request(pem), WHO, lifetime, NOW)
    return x509.load_pem_x509_certificate(issued.chain_pem.encode())


def extension(leaf: x509.Certificate, kind: type[x509.ExtensionType]) -> x509.ExtensionType:
    return leaf.extensions.get_extension_for_class(kind).value


def test_a_certificate_has_our_names_and_nothing_else() -> None:
    key = new_key()
    leaf = leaf_of(csr(key))
    leaf.verify_directly_issued_by(CA.certificate)
    assert spki(leaf.public_key()) == spki(key.public_key())  # type: ignore[arg-type]
    uris = extension(leaf, x509.SubjectAlternativeName)
    assert [name.value for name in uris] == [f"spiffe://tidegate.test/agent/{UID}"]  # type: ignore[attr-defined]
    assert leaf.not_valid_before_utc == NOW - timedelta(minutes=5)
    assert leaf.not_valid_after_utc == NOW + MONTH
    assert leaf.serial_number.bit_length() > 120


def test_sec_14_only_the_key_of_a_greedy_request_is_taken() -> None:
    key = new_key()
    greedy = csr(
        key,
        "root",
        x509.BasicConstraints(ca=True, path_length=None),
        x509.SubjectAlternativeName(
            [x509.DNSName("gateway.example"), x509.UniformResourceIdentifier("spiffe://evil/x")]
        ),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
    )
    leaf = leaf_of(greedy)
    assert extension(leaf, x509.BasicConstraints) == x509.BasicConstraints(False, None)
    assert list(extension(leaf, x509.ExtendedKeyUsage)) == [ExtendedKeyUsageOID.CLIENT_AUTH]  # type: ignore[call-overload]
    assert "evil" not in str(extension(leaf, x509.SubjectAlternativeName))
    assert "root" not in leaf.subject.rfc4514_string()


def test_a_certificate_never_outlives_its_authority() -> None:
    short = make_authority("short", life(ends_in_d=2))
    leaf = leaf_of(csr(), MONTH, short)
    assert leaf.not_valid_after_utc == short.certificate.not_valid_after_utc


def test_an_expired_authority_issues_nothing() -> None:
    with pytest.raises(IssuingFailed) as failed:
        leaf_of(csr(), MONTH, make_authority("old", life(-10, -1)))
    assert failed.value.says.code == "issuing.authority_expired"


def test_sec_15_issuing_takes_a_millisecond_at_most_in_the_middle() -> None:
    """A bound, not a measurement: bench/certs.py measures. Ten times what it takes at rest."""
    request, takes = read_signing_request(csr()), []
    for _ in range(50):
        began = time.thread_time()
        issuer().issue(request, WHO, MONTH, NOW)
        takes.append(time.thread_time() - began)
    assert statistics.median(takes) < 0.005


# --- What an issuer answers is checked -------------------------------------------------------


def check(issued: Issued, key: object = None) -> str:
    found = read_signing_request(csr(key or KEY))  # type: ignore[arg-type]
    try:
        checked(issued, found.public_key, WHO, NOW)
    except IssuingFailed as failed:
        return str(failed)
    return ""


KEY = new_key()


def answer(pem: bytes = b"", who: Identity = WHO, pair: Pair = CA) -> Issued:
    return issuer(pair).issue(read_signing_request(pem or csr(KEY)), who, MONTH, NOW)


def test_an_answer_that_fits_passes() -> None:
    assert check(answer()) == ""


@pytest.mark.parametrize(
    ("issued", "says"),
    [
        (answer(csr()), "another key"),
        (answer(who=Identity("tidegate.test", uuid.uuid4())), "it is not for"),
        (Issued(CA.pem, CA.pem), "Extension"),
        (Issued("junk", CA.pem), "BEGIN CERTIFICATE"),
        (Issued(answer().chain_pem, authority("Other").pem), "InvalidSignature"),
        (Issued(client(CA, UID, -9, -8).pem, CA.pem), "another key"),
    ],
)
def test_an_answer_that_does_not_fit_is_never_offered(issued: Issued, says: str) -> None:
    assert says in check(issued) or "does not fit" in check(issued)
    assert check(issued)


# --- Files -----------------------------------------------------------------------------------


def write(folder: Path, pair: Pair, mode: int = 0o600, key: bytes = b"") -> tuple[Path, Path]:
    certificate_file, key_file = folder / "ca.pem", folder / "ca.key"
    certificate_file.write_text(pair.pem)
    key_file.touch(mode)
    key_file.write_bytes(key or pair.key_pem)
    os.chmod(key_file, mode)
    return certificate_file, key_file


def why_not(files: tuple[Path, Path]) -> str:
    with pytest.raises(IssuingFailed) as failed:
        load_builtin(*files)
    return str(failed.value)


def test_files_of_an_authority_are_loaded(tmp_path: Path) -> None:
    assert load_builtin(*write(tmp_path, CA)).authority_pem() == CA.pem


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_sec_39_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    said = why_not(write(tmp_path, CA, mode))
    assert "chmod 600" in said
    assert f"{mode:04o}" in said


def test_sec_39_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    assert "does not belong" in why_not(write(tmp_path, CA, key=authority("B").key_pem))


def test_sec_39_a_small_rsa_key_is_refused(tmp_path: Path) -> None:
    small = key_pem(rsa.generate_private_key(65537, 1024))  # noqa: S505  what is refused
    assert "1024 bits" in why_not(write(tmp_path, CA, key=small))


def test_sec_39_a_certificate_that_is_no_authority_is_refused(tmp_path: Path) -> None:
    assert "CA:TRUE" in why_not(write(tmp_path, client(CA, UID)))


def test_sec_39_files_that_are_not_there_or_unreadable_are_named(tmp_path: Path) -> None:
    assert "ca.key" in why_not((tmp_path / "ca.pem", tmp_path / "ca.key"))
    certificate_file, key_file = write(tmp_path, CA, key=b"junk")
    assert "ca.key" in why_not((certificate_file, key_file))
