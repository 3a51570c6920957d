"""The whole product, started and stopped as a person does it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from agents.signing.signature import read_public_key, signed_bytes, verifies
from console.lib.processes import identity
from tests.product import ROOT, Product, clean_environment, wait_for

pytestmark = pytest.mark.slow

SERVICES = {
    "postgres",
    "redis",
    "console",
    "gateway",
    "worker",
    "rollbacks",
    "issuer",
    "beat",
    "simulate",
}


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    product = Product(tmp_path / "a data dir", agents=10)
    yield product
    if product.process is not None:
        product.stop()


def processes_of(data_dir: Path) -> list[str]:
    """Return the commands of all processes, ours or their helpers, that were given this directory."""
    wanted = f"TIDEGATE_DATA={data_dir}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            mine = wanted in (entry / "environ").read_bytes().split(b"\0")
            in_it = str(data_dir) in os.readlink(entry / "cwd")
        except (OSError, ValueError):
            continue
        if (mine or in_it) and identity.start_mark(int(entry.name)) is not None:
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def test_starts_everything_and_prints_one_address(product: Product) -> None:
    product.start()
    assert set(product.pids()) == SERVICES
    log = product.log_path.read_text()
    assert log.startswith(f"Starting in {product.data_dir} ...")
    assert log.count("Tidegate is ready") == 1
    assert product.url in log
    assert requests.get(f"{product.url}/readyz", timeout=10).ok
    product.wait_connected()
    # Who asks is the address of the connection, whatever a header says.
    forged = {"X-Forwarded-For": "203.0.113.9", "Content-Type": "text/yaml"}
    product.api("POST", "config?name=other", data=b"receivers:\n  otlp:\n", headers=forged)
    audited = product.api("GET", "audit?act=configs.upload")["events"][0]
    assert (audited["object_name"], audited["address"]) == ("other v1", "127.0.0.1")
    assert_signed(product, "configs/other/versions/1")


def assert_signed(product: Product, version: str) -> None:
    """Wait for the signature of a version; its key was made by `up`, and who signs is the issuer."""
    signed = wait_for(
        lambda: row if (row := product.api("GET", version))["signature"] else None, 30, product.log
    )
    public = requests.get(f"{product.url}/.well-known/tidegate-config-keys", timeout=10).json()
    key = read_public_key(public["keys"][0]["pem"])
    assert verifies(key, signed["signature"], signed_bytes(signed["config_hash"]))
    assert (product.data_dir / "signing.pem").stat().st_mode & 0o777 == 0o600


def test_stopping_leaves_no_process(product: Product) -> None:
    product.start()
    assert processes_of(product.data_dir)
    assert product.stop() == 0
    assert processes_of(product.data_dir) == []
    assert not (product.data_dir / "env.json").exists()


def test_sign_ins_are_printed_once_and_stay_the_same(product: Product) -> None:
    product.start()
    first = product.credentials
    assert (product.data_dir / "credentials.json").stat().st_mode & 0o777 == 0o600
    assert set(first) == {"console", "opamp", "users", "api_token"}
    assert set(first["users"]) == {"author", "operator", "approver", "admin"}
    assert product.log_path.read_text().count(first["api_token"]) == 1
    product.stop()

    product.start()
    assert product.credentials == first
    assert first["api_token"] not in product.log_path.read_text()
    product.wait_connected()  # by the API, with that token


def test_a_killed_run_leaves_nothing_and_starts_again(product: Product) -> None:
    product.start()
    assert product.process is not None
    product.process.send_signal(signal.SIGKILL)
    product.process.wait()
    wait_for(
        lambda: True if not processes_of(product.data_dir) else None,
        15,
        lambda: processes_of(product.data_dir),
    )
    product.start()
    assert set(product.pids()) == SERVICES


def test_a_second_run_on_the_same_data_says_so(product: Product) -> None:
    product.start()
    second = subprocess.run(
        product.command(),
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "Tidegate already runs on" in second.stdout
    assert product.url in second.stdout
    assert requests.get(f"{product.url}/healthz", timeout=10).ok


def test_another_terminal_finds_the_running_stores(product: Product) -> None:
    product.start()
    command = [*product.command()[:2], "shell", "--verbosity", "0", "-c"]
    script = "from accounts.models import User; print(User.objects.count())"
    answer = subprocess.run(
        [*command, script],
        cwd=ROOT,
        env={**clean_environment(), "TIDEGATE_DATA": str(product.data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert answer.stdout.split() == ["4"]
    shared = json.loads((product.data_dir / "env.json").read_text())
    assert set(shared) == {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL"}
