"""`manage.py certs`: files to try TLS with, the same by openssl, and whom the gateway trusts."""

from __future__ import annotations

import io
import shlex
import stat
import subprocess
import uuid
from pathlib import Path

import pytest
from cryptography import x509
from django.core.management import CommandError, call_command

from agents.gateway.tls.files import read_pair
from agents.gateway.tls.verify import verify_peer
from agents.models import TrustedAuthority
from console.lib.certificates import facts_of, read_file

UID = uuid.UUID("0192f2b4-1111-7222-8333-944455566677")


def certs(*words: object) -> str:
    out = io.StringIO()
    call_command("certs", *map(str, words), stdout=out)
    return out.getvalue()


def make_all(folder: Path) -> list[str]:
    """Make the three kinds; return the openssl commands that were printed."""
    said = certs("init", "--dir", folder)
    said += certs("server", "--dir", folder, "--host", "localhost", "--host", "127.0.0.1")
    said += certs("agent", "--dir", folder, "--uid", UID)
    return [line for line in said.splitlines() if line.startswith("openssl ")]


def run_openssl(folder: Path, commands: list[str]) -> None:
    for command in commands:
        words = shlex.split(command)
        ran = subprocess.run(words, cwd=folder, capture_output=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stderr.decode()


@pytest.fixture(params=["manage.py", "openssl"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The files as the command makes them, and as its openssl lines do."""
    made = tmp_path / "made"
    commands = make_all(made)
    assert len(commands) == 6
    if request.param == "manage.py":
        return made
    by_hand = tmp_path / "by-hand"
    by_hand.mkdir()
    run_openssl(by_hand, commands)
    return by_hand


def test_what_is_made_serves(folder: Path) -> None:
    pair = read_pair(folder / "server.crt", folder / "server.key")
    assert pair.names == {"localhost", "127.0.0.1"}
    leaf = read_file(folder / f"agent-{UID}.crt")[0]
    anchors = read_file(folder / "agent-ca.crt")
    found = verify_peer([leaf], anchors, facts_of(leaf).not_before)
    assert facts_of(found.leaf).uris == (f"spiffe://tidegate/agent/{UID}",)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]
    for key in folder.glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_two_roots_are_not_one(folder: Path) -> None:
    server, agents = (read_file(folder / f"{n}.crt")[0] for n in ("server-ca", "agent-ca"))
    assert server.public_key() != agents.public_key()
    assert facts_of(server).is_ca
    assert facts_of(agents).is_ca


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    certs("init", "--dir", tmp_path)
    before = (tmp_path / "agent-ca.key").read_bytes()
    with pytest.raises(CommandError, match="is there already; it is kept"):
        certs("init", "--dir", tmp_path)
    assert (tmp_path / "agent-ca.key").read_bytes() == before


def test_without_an_authority_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="certs init"):
        certs("server", "--dir", tmp_path)


@pytest.mark.django_db
def test_an_authority_is_trusted_listed_and_retired(tmp_path: Path) -> None:
    certs("init", "--dir", tmp_path)
    assert "Trusted agent-ca" in certs("trust", tmp_path / "agent-ca.crt", "--label", "site=a")
    kept = TrustedAuthority.objects.get()
    assert kept.labels == {"site": "a"}
    assert kept.identity_rule == r"spiffe://tidegate/agent/(?P<uid>[0-9a-f-]{36})"
    assert "until" in certs("list")
    certs("retire", "agent-ca", "--reason", "moved")
    assert "retired" in certs("list")
    with pytest.raises(CommandError, match="there are: agent-ca"):
        certs("retire", "other", "--reason", "x")
    with pytest.raises(CommandError, match="no certificate in PEM"):
        certs("trust", tmp_path / "agent-ca.key")
