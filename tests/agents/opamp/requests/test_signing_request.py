"""What is taken from a certificate request, and what is refused (SEC-14; OP-45, OP-46)."""

from __future__ import annotations

import uuid

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from agents.opamp.requests.signing_request import (
    MAX_BYTES,
    BadSigningRequest,
    read_signing_request,
    require_uid,
    spki,
)
from tests.make.requests import csr, new_key

UID = uuid.UUID("0190a1b2-0000-7000-8000-000000000001")
OTHER = uuid.UUID("0190a1b2-0000-7000-8000-000000000002")


def names(*uris: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])


def tampered(pem: bytes) -> bytes:
    lines = pem.splitlines()
    middle = lines[2]
    swapped = middle[:10] + (b"A" if middle[10:11] != b"A" else b"B") + middle[11:]
    return b"\n".join([*lines[:2], swapped, *lines[3:]]) + b"\n"


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-256", "P-384", "Ed25519", "RSA-2048"],
)
def test_a_request_with_a_key_of_the_list_is_taken(key: ec.EllipticCurvePrivateKey) -> None:
    found = read_signing_request(csr(key))
    assert found.spki == spki(key.public_key())


@pytest.mark.parametrize(
    ("pem", "code"),
    [
        (csr(rsa.generate_private_key(65537, 1024)), "csr.rsa_size"),  # noqa: S505  what is refused
        (csr(ec.generate_private_key(ec.SECP521R1())), "csr.key_kind"),
        (csr() + csr(), "csr.not_one_block"),
        (b"", "csr.not_one_block"),
        (b"junk", "csr.not_one_block"),
        (b"before\n" + csr(), "csr.not_one_block"),
        (csr() + b"-----BEGIN PRIVATE KEY-----\n", "csr.not_one_block"),
        (csr().replace(b"CERTIFICATE REQUEST", b"CERTIFICATE"), "csr.not_one_block"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "csr.unreadable"),
        (b"x" * (MAX_BYTES + 1), "csr.too_large"),
    ],
)  # fmt: skip
def test_sec_14_a_hostile_request_is_refused_with_its_reason(pem: bytes, code: str) -> None:
    with pytest.raises(BadSigningRequest) as refused:
        read_signing_request(pem)
    assert refused.value.says.code == code


def test_sec_14_a_request_that_its_key_did_not_sign_is_refused() -> None:
    with pytest.raises(BadSigningRequest) as refused:
        read_signing_request(tampered(csr(name="a" * 60)))
    assert refused.value.says.code in {"csr.bad_signature", "csr.unreadable"}


def test_sec_14_twenty_thousand_names_are_too_much_to_be_read() -> None:
    many = names(*(f"spiffe://d/agent/{number}" for number in range(20_000)))
    with pytest.raises(BadSigningRequest) as refused:
        read_signing_request(csr(None, "edge", many))
    assert refused.value.says.code == "csr.too_large"


@pytest.mark.parametrize(
    "pem",
    [csr(uid=OTHER), csr(None, OTHER.hex), csr(None, "x", names(f"spiffe://d/agent/{OTHER}"))],
    ids=["common name", "without dashes", "URI"],
)
def test_op_46_a_request_that_names_another_agent_is_refused(pem: bytes) -> None:
    found = read_signing_request(pem)
    with pytest.raises(BadSigningRequest, match=str(OTHER)):
        require_uid(found, UID)
    require_uid(found, OTHER)


@pytest.mark.parametrize("name", ["edge-1", f"{OTHER}.example.org", f"host-{OTHER.hex}"])
def test_op_46_a_name_that_is_no_uid_names_nobody(name: str) -> None:
    require_uid(read_signing_request(csr(None, name)), UID)


def test_the_same_request_has_the_same_digest_however_it_is_wrapped() -> None:
    pem = csr()
    assert read_signing_request(pem).digest == read_signing_request(pem + b"\n\n").digest
    assert read_signing_request(csr()).digest != read_signing_request(pem).digest


@given(st.binary(max_size=400))
def test_sec_34_no_bytes_do_anything_but_be_refused(junk: bytes) -> None:
    for pem in (junk, b"-----BEGIN CERTIFICATE REQUEST-----\n" + junk):
        with pytest.raises(BadSigningRequest):
            read_signing_request(pem)


VALID = csr(new_key())


@given(st.integers(0, len(VALID) - 1), st.integers(0, 255))
def test_sec_34_a_changed_byte_is_refused_or_harmless(position: int, value: int) -> None:
    try:
        read_signing_request(VALID[:position] + bytes([value]) + VALID[position + 1 :])
    except BadSigningRequest:
        return
