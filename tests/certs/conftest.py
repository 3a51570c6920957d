"""An authority in files, an entrance with TLS, and agents as rows: what the issuer's loop works with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certs.loop import entrance
from tests.certs.tls_entrance import tls_entrance
from tests.make.certificates import authority, server

CLIENT_CA = authority("Agents")
SERVER_CA = authority("Servers")


@pytest.fixture
def ca_files(tmp_path: Path, settings: Any) -> Path:
    """Put the authority of agents and the CA of the gateway where the settings say."""
    (tmp_path / "ca.pem").write_text(CLIENT_CA.pem)
    key = tmp_path / "ca.key"
    key.touch(0o600)
    key.write_bytes(CLIENT_CA.key_pem)
    (tmp_path / "server-ca.pem").write_text(SERVER_CA.pem)
    settings.CERTIFICATES_CA_FILE = str(tmp_path / "ca.pem")
    settings.CERTIFICATES_CA_KEY_FILE = str(key)
    settings.OPAMP_SERVER_CA_FILE = str(tmp_path / "server-ca.pem")
    return tmp_path


@pytest.fixture
def issuing(ca_files: Path, settings: Any) -> Iterator[None]:
    """The files, and a TLS entrance that our own connection reaches."""
    entrance.forget_proofs()
    with tls_entrance(server(SERVER_CA), ca_files) as port:
        settings.OPAMP_URL = f"wss://127.0.0.1:{port}/v1/opamp"
        yield
    entrance.forget_proofs()
