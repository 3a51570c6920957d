"""Who gets a certificate without a person (security.md 3.2, R16)."""

from __future__ import annotations

import pytest

from certs.rotation.admitting import Asking, FirstCertificates, needs_person

AUTO, MANUAL = FirstCertificates.AUTO, FirstCertificates.MANUAL


@pytest.mark.parametrize(
    ("principal", "has_certificate", "approval", "waits"),
    [
        ("certificate:0a1b", True, MANUAL, False),
        ("token:7", True, MANUAL, False),
        ("pool:3", False, AUTO, False),
        ("pool:3", False, MANUAL, True),
        ("pool:3", True, AUTO, True),
        ("loopback", False, AUTO, False),
        ("loopback", True, AUTO, True),
        ("", False, AUTO, False),
        ("", False, MANUAL, True),
    ],
)
def test_who_waits_for_a_person(
    principal: str, has_certificate: bool, approval: FirstCertificates, waits: bool
) -> None:
    assert (needs_person(Asking(principal, has_certificate), approval) is not None) is waits
