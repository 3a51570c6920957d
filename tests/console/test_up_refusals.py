"""What `manage.py up` refuses before it starts anything."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
from pathlib import Path

from console.processes.record import DataLock
from tests.product import ROOT, Product, clean_environment


def run(product: Product, *more: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        product.command(*more),
        cwd=ROOT,
        env={**clean_environment(), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_taken_console_port_names_the_port_and_the_flag(tmp_path: Path) -> None:
    product = Product(tmp_path, agents=1)
    with socket.create_server(("127.0.0.1", product.port)):
        answer = run(product)
    assert answer.returncode == 1
    assert f"port {product.port} on 127.0.0.1 cannot be used" in answer.stdout
    assert "choose another with --port N" in answer.stdout


def test_a_taken_gateway_port_names_the_port_and_the_flag(tmp_path: Path) -> None:
    product = Product(tmp_path, agents=1)
    with socket.create_server(("127.0.0.1", product.opamp_port)):
        answer = run(product)
    assert answer.returncode == 1
    assert f"port {product.opamp_port} on 127.0.0.1 cannot be used" in answer.stdout
    assert "choose another with --opamp-port N" in answer.stdout


def test_one_port_for_both_is_refused(tmp_path: Path) -> None:
    product = Product(tmp_path, agents=1)
    answer = run(product, "--opamp-port", str(product.port))
    assert answer.returncode == 2
    assert "--port and --opamp-port" in answer.stderr


def test_a_held_data_directory_names_its_holder(tmp_path: Path) -> None:
    lock = DataLock(tmp_path)
    lock.acquire("http://127.0.0.1:8080")
    answer = run(Product(tmp_path, agents=1))
    lock.release()
    assert answer.returncode == 1
    assert "Tidegate already runs on" in answer.stdout
    assert "http://127.0.0.1:8080" in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr


def test_an_address_open_to_others_wants_allowed_hosts(tmp_path: Path) -> None:
    answer = run(Product(tmp_path, agents=1), "--host", "192.0.2.1")
    assert answer.returncode == 2
    assert "ALLOWED_HOSTS" in answer.stderr


def test_a_number_that_is_no_port_is_refused(tmp_path: Path) -> None:
    answer = run(Product(tmp_path, agents=1), "--port", "99999")
    assert answer.returncode == 2
    assert "99999 is not a port" in answer.stderr


def test_a_data_path_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = run(Product(tmp_path / "file", agents=1))
    assert answer.returncode == 1
    assert str(tmp_path / "file") in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr


def test_a_start_that_fails_leaves_no_address_behind(tmp_path: Path) -> None:
    product = Product(tmp_path, agents=1)
    with socket.create_server(("127.0.0.1", product.port)):
        run(product)
    assert not (tmp_path / "env.json").exists()
    assert stat.S_ISREG((tmp_path / "up.lock").stat().st_mode)


def test_a_command_without_a_key_is_told_so_in_one_sentence(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "manage.py", "apply", "-f", "x.yaml"],
        cwd=ROOT,
        env={**clean_environment(), "TIDEGATE_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("SECRET_KEY is not set.")
    assert "Traceback" not in answer.stderr
