"""The loop that signs what waits, with a key file and with a command."""

from __future__ import annotations

import json
import shlex
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import AuditEvent
from agents.actions.signing import ask_for_way_back, mark_key_bad
from agents.models import SignedVersion, SigningKey
from agents.signing.manifest import LIFETIME
from agents.signing.signature import public_pem, read_public_key, verifies
from certs.signing.sign import sign_waiting
from tests.make.agents import make_agent
from tests.make.configs import make_version
from tests.make.people import make_actor
from tests.make.signing import key_file, make_key, make_unsigned
from tests.make.times import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def signer(tmp_path: Path, settings: Any) -> Path:
    """Give the signer a key file."""
    path = key_file(tmp_path)
    settings.CONFIG_SIGNING_KEY_FILE = str(path)
    return path


def test_a_version_that_waits_is_signed(signer: Path, settings: Any) -> None:
    settings.CONFIG_SIGNING_ENVIRONMENT = "staging"
    row = make_unsigned(make_version())
    assert sign_waiting(NOW) == 1
    row.refresh_from_db()
    assert row.signed().holds()
    manifest = json.loads(row.manifest)
    assert (manifest["config"], manifest["version"]) == ("edge", 1)
    assert (manifest["config_hash"], manifest["environment"]) == (row.body_id, "staging")
    assert row.expires_at == NOW + LIFETIME
    assert row.manifest_key is not None
    key = read_public_key(row.manifest_key.public_pem)
    assert verifies(key, row.manifest_signature, row.manifest.encode())
    acts = list(AuditEvent.objects.order_by("pk").values_list("act", "object_name"))
    assert acts == [("key.used", ""), ("config.signed", "edge v1")]


def test_what_is_signed_is_not_signed_again(signer: Path) -> None:
    make_unsigned(make_version())
    assert sign_waiting(NOW) == 1
    assert sign_waiting(NOW + timedelta(days=1)) == 0


def test_without_a_signer_versions_wait_and_nothing_is_wrong() -> None:
    row = make_unsigned(make_version())
    assert sign_waiting(NOW) == 0
    row.refresh_from_db()
    assert (row.signature, row.error) == ("", "")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.chmod(0o644), "can be read by others (mode 644): chmod 600"),
        (lambda path: path.write_text("nonsense"), "holds no private key in PEM"),
        (lambda path: path.unlink(), "cannot be read"),
    ],
)
def test_a_key_that_cannot_be_used_is_said_with_the_version(
    signer: Path, spoil: object, says: str
) -> None:
    row = make_unsigned(make_version())
    spoil(signer)  # type: ignore[operator]
    assert sign_waiting(NOW) == 0
    row.refresh_from_db()
    assert says in str(row.error)


def test_a_manifest_about_to_end_is_signed_again_while_somebody_runs_it(signer: Path) -> None:
    used, unused = make_version(), make_version()
    for version in (used, unused):
        make_unsigned(version)
    make_agent(desired_hash=used.config_hash)
    sign_waiting(NOW)
    late = NOW + LIFETIME - timedelta(days=30)
    assert sign_waiting(late) == 1
    assert SignedVersion.objects.get(version=used.number).expires_at == late + LIFETIME
    assert SignedVersion.objects.get(version=unused.number).expires_at == NOW + LIFETIME


def test_a_way_back_is_asked_for_with_the_version_it_takes_the_place_of(signer: Path) -> None:
    old, new = make_version(), make_version()
    for version in (old, new):
        make_unsigned(version)
    sign_waiting(NOW)
    later = NOW + timedelta(hours=1)
    ask_for_way_back(config_hashes=[old.config_hash], config="edge", newest=2, now=later)
    assert sign_waiting(later + timedelta(seconds=1)) == 1
    assert json.loads(SignedVersion.objects.get(version=1).manifest)["rollback_of"] == 2
    assert "rollback_of" not in json.loads(SignedVersion.objects.get(version=2).manifest)


def test_what_a_bad_key_signed_is_signed_again_with_the_next_one(
    signer: Path, settings: Any, tmp_path: Path
) -> None:
    row = make_unsigned(make_version())
    sign_waiting(NOW)
    first = SigningKey.objects.get()
    admin = make_actor("admin")
    lost = mark_key_bad(kid=first.key_id, reason="it was in a backup", by=admin, now=NOW)
    assert lost == 1
    assert not SignedVersion.objects.good().exists()

    assert sign_waiting(NOW) == 0
    row.refresh_from_db()
    assert "was marked bad; give it another one" in str(row.error)

    (other := tmp_path / "other").mkdir()
    settings.CONFIG_SIGNING_KEY_FILE = str(key_file(other, make_key(1)))
    assert sign_waiting(NOW) == 1
    row.refresh_from_db()
    assert (row.key_id != first.key_id, row.error) == (True, "")
    assert row.signed().holds()


@pytest.fixture
def command(tmp_path: Path, settings: Any) -> Path:
    """Let the signer be a command in front of a key that only it can read: openssl itself."""
    public = tmp_path / "public.pem"
    public.touch(mode=0o600)
    public.write_text(public_pem(make_key().public_key()))
    script = tmp_path / "sign.sh"
    script.write_text(
        f"openssl dgst -sha256 -sign {shlex.quote(str(key_file(tmp_path)))} | base64\n"
    )
    settings.CONFIG_SIGNING_KEY_FILE = str(public)
    settings.CONFIG_SIGNER_COMMAND = f"sh {script}"
    return script


def test_a_command_signs(command: Path) -> None:
    row = make_unsigned(make_version())
    assert sign_waiting(NOW) == 1
    row.refresh_from_db()
    assert row.signed().holds()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo no such key >&2; exit 3", "ended with 3: no such key"),
        ("echo AAAA", "is no signature by the key"),
    ],
)
def test_a_command_that_does_not_sign_is_said(command: Path, script: str, says: str) -> None:
    command.write_text(script)
    row = make_unsigned(make_version())
    assert sign_waiting(NOW) == 0
    row.refresh_from_db()
    assert says in str(row.error)
    assert row.signature == ""


def test_a_command_that_is_not_there_is_said(command: Path, settings: Any) -> None:
    settings.CONFIG_SIGNER_COMMAND = f"{sys.executable}-that-is-not"
    row = make_unsigned(make_version())
    sign_waiting(NOW)
    row.refresh_from_db()
    assert "did not sign" in str(row.error)
