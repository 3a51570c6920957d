"""`up --tls`: the demo fleet over mTLS, each agent with a certificate of its own."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.product import Product

pytestmark = pytest.mark.slow


def test_the_fleet_comes_by_mtls_and_nobody_without(tmp_path: Path) -> None:
    product = Product(tmp_path / "a data dir", agents=10, tls=True)
    try:
        product.start()
        assert f"Agents connect to wss://127.0.0.1:{product.opamp_port}/" in product.log()
        product.wait_connected()
        folder = product.data_dir / "certs"
        for key in folder.glob("*.key"):
            assert stat.S_IMODE(key.stat().st_mode) == 0o600
        context = ssl.create_default_context(cafile=str(folder / "server-ca.crt"))
        url = f"wss://localhost:{product.opamp_port}"
        with pytest.raises(InvalidStatus, match="401"), connect(url, ssl=context):
            pass
        before = (folder / "server.crt").read_bytes()
        product.stop()
        product.start()
        product.wait_connected()
        assert (folder / "server.crt").read_bytes() == before
    finally:
        if product.process is not None:
            product.stop()
