"""Nothing is offered before our own connection has succeeded (security.md R26)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from certs.loop import entrance
from certs.rotation.offer import Entrance
from console.lib.texts import said
from tests.certs.tls_entrance import tls_entrance
from tests.make.certificates import authority, server

CA = authority("Server CA")


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    entrance.forget_proofs()
    yield
    entrance.forget_proofs()


def why(port: int, bundle: str = CA.pem, host: str = "127.0.0.1") -> str:
    return said(entrance.why_not(Entrance(f"wss://{host}:{port}/v1/opamp", bundle)))


def test_an_entrance_that_our_bundle_verifies_is_proved(tmp_path: Path) -> None:
    with tls_entrance(server(CA), tmp_path) as port:
        assert why(port) == ""
    assert why(port) == "", "an answer holds for some minutes"


def test_a_bundle_that_does_not_verify_the_server_is_never_offered(tmp_path: Path) -> None:
    with tls_entrance(server(authority("Other CA")), tmp_path) as port:
        assert "CERTIFICATE_VERIFY_FAILED" in why(port)


def test_a_server_of_another_name_is_never_offered(tmp_path: Path) -> None:
    with tls_entrance(server(CA, "gateway.example"), tmp_path) as port:
        assert "certificate" in why(port)


def test_a_dead_endpoint_is_never_offered() -> None:
    assert "failed" in why(1)


def test_without_tls_a_certificate_is_of_no_use() -> None:
    assert "wss://" in said(entrance.why_not(Entrance("ws://127.0.0.1:4320/v1/opamp")))
    assert "wss://" in said(entrance.why_not(Entrance("")))
