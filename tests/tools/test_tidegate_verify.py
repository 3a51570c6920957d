"""SEC-22: `tidegate-verify`, run as a process on a host that has only Python and openssl."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.signing.manifest import LIFETIME, Manifest
from agents.signing.signature import key_id, public_pem, sign, signed_bytes
from tests.make.signing import make_key

TOOL = Path(__file__).parents[2] / "tools" / "tidegate_verify.py"
BODY = b"receivers: {otlp: }\n"
HASH = hashlib.sha256(BODY).hexdigest()
KEY = make_key()
KID = key_id(KEY.public_key())
NOW = datetime.now(UTC).replace(microsecond=0)
GOOD = Manifest("edge", 2, HASH, "production", NOW, NOW + LIFETIME, KID)


class Host:
    """A folder with a config, its signature and the keys that are trusted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config.yaml"
        self.config.write_bytes(BODY)
        self.keys({KID: public_pem(KEY.public_key())})
        self.sign(GOOD)

    def keys(self, pems: dict[str, str]) -> None:
        found = {"keys": [{"kid": kid, "pem": pem} for kid, pem in pems.items()]}
        (self.folder / "keys.json").write_text(json.dumps(found))

    def sign(self, of: Manifest, **other: Any) -> None:
        text = of.text()
        document = {
            "config_hash": HASH,
            "signature": sign(KEY, signed_bytes(HASH)),
            "key_id": KID,
            "manifest": text,
            "manifest_signature": sign(KEY, text.encode()),
            "manifest_key_id": KID,
            **other,
        }
        (self.folder / "config.yaml.signature.json").write_text(json.dumps(document))

    def verify(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", TOOL, self.config, "--keys", self.folder / "keys.json", *words],
            capture_output=True,
            text=True,
            check=False,
        )

    def refuses(self, *words: str) -> str:
        """Return why the config is refused; nothing was run."""
        done = self.verify(*words)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_sec_22_a_signed_config_is_good(host: Host) -> None:
    done = host.verify("--environment", "production", "--config", "edge")
    assert (done.returncode, done.stderr) == (0, "")
    assert "edge v2, signed, until" in done.stdout


def test_sec_22_a_tampered_body_is_refused(host: Host) -> None:
    host.config.write_bytes(BODY + b" ")
    assert "its SHA-256 is" in host.refuses()


def test_sec_22_a_body_that_was_swapped_with_its_hash_is_refused(host: Host) -> None:
    other = hashlib.sha256(BODY + b" ").hexdigest()
    host.config.write_bytes(BODY + b" ")
    host.sign(GOOD, config_hash=other)
    assert "the signature does not verify" in host.refuses()


def test_sec_22_a_changed_manifest_is_refused(host: Host) -> None:
    host.sign(GOOD, manifest=replace(GOOD, version=9).text())
    assert "the signature does not verify" in host.refuses()


def test_sec_22_a_manifest_of_another_config_is_refused(host: Host) -> None:
    host.sign(replace(GOOD, config_hash="0" * 64))
    assert "the manifest is of another config" in host.refuses()
    host.sign(GOOD)
    assert "this is edge, wanted is core" in host.refuses("--config", "core")


def test_sec_22_an_expired_or_coming_manifest_is_refused(host: Host) -> None:
    host.sign(replace(GOOD, expires=NOW - timedelta(seconds=1)))
    assert "its manifest ended at" in host.refuses()
    host.sign(replace(GOOD, not_before=NOW + timedelta(hours=1)))
    assert "its manifest begins at" in host.refuses()


def test_sec_22_another_environment_is_refused(host: Host) -> None:
    said = host.refuses("--environment", "staging")
    assert "it is for production, this host is in staging" in said


def test_sec_22_an_unknown_key_is_refused(host: Host) -> None:
    other = make_key(1).public_key()
    host.keys({key_id(other): public_pem(other)})
    assert f"key {KID} is not among the 1 keys" in host.refuses()


def test_sec_22_an_older_version_is_refused_unless_a_rollback_is_signed(host: Host) -> None:
    state = ("--state", str(host.folder / "state.json"))
    host.sign(replace(GOOD, version=3))
    assert host.verify(*state).returncode == 0
    host.sign(GOOD)
    assert "v2 is older than v3" in host.refuses(*state)
    host.sign(replace(GOOD, rollback_of=2))
    assert "no rollback of v3 is signed" in host.refuses(*state)
    host.sign(replace(GOOD, rollback_of=3))
    assert host.verify(*state).returncode == 0


@pytest.mark.parametrize("content", ["", "[]", '{"config_hash": 5}', "{"])
def test_sec_22_rubbish_is_a_refusal(host: Host, content: str) -> None:
    (host.folder / "config.yaml.signature.json").write_text(content)
    assert host.refuses()


def test_sec_22_a_collector_starts_on_a_signed_config_only(host: Host) -> None:
    started = host.verify("--", sys.executable, "-c", "print('collector')")
    assert (started.returncode, started.stdout) == (0, "collector\n")
    host.config.write_bytes(b"")
    assert "SHA-256" in host.refuses("--", sys.executable, "-c", "print('collector')")
