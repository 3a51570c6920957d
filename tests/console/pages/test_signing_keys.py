"""The page of keys that sign configs, and what a version's page says of its signature."""

from __future__ import annotations

import pytest

from agents.models import SigningKey
from agents.signing.signature import public_pem
from console.lib.texts import text
from tests.make.configs import make_version
from tests.make.people import sign_in
from tests.make.signing import make_key, make_signed, make_trusted, make_unsigned

pytestmark = pytest.mark.django_db
URL = "/settings/signing-keys/"


def test_an_administrator_adds_a_key_and_marks_it_bad() -> None:
    client = sign_in("root", "admin")
    given = {"name": "build server", "public_key": public_pem(make_key().public_key())}
    assert client.post(URL, given).status_code == 303
    key = SigningKey.objects.get()
    make_signed(make_version().config_hash)
    assert "build server" in (page := client.get(URL).content.decode())
    assert key.key_id[:16] in page

    bad = {"act": "bad", "key_id": key.key_id, "reason": "the laptop was stolen"}
    assert client.post(URL, bad).status_code == 303
    page = client.get(URL).content.decode()
    assert "Marked bad by root: the laptop was stolen" in page
    assert "1 version is signed again" in page


def test_what_is_wrong_is_said_and_what_was_typed_stays() -> None:
    client = sign_in("root", "admin")
    answer = client.post(URL, {"name": "build server", "public_key": "rubbish"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "this is no public key in PEM" in page
    assert "rubbish" in page


def test_others_read_and_change_nothing() -> None:
    make_trusted(make_key())
    client = sign_in("some", "operator")
    assert "signer" in client.get(URL).content.decode()
    key = SigningKey.objects.get()
    bad = {"act": "bad", "key_id": key.key_id, "reason": "the laptop was stolen"}
    assert client.post(URL, bad).status_code == 403
    key.refresh_from_db()
    assert key.bad_at is None


def test_a_version_says_by_which_key_it_is_signed_or_why_not() -> None:
    client = sign_in("some", "viewer")
    first, second = make_version(), make_version()
    make_signed(first.config_hash)
    waiting = make_unsigned(second)
    waiting.error = text("signer.no_private_key", path="/k.pem")
    waiting.save()
    page = client.get("/configs/edge/v/1/").content.decode()
    assert f"signed by signer ({SigningKey.objects.get().key_id[:8]})" in page
    page = client.get("/configs/edge/v/2/").content.decode()
    assert "not signed:" in page
    assert "/k.pem holds no private key" in page
