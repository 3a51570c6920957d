"""Signatures and signing keys in the API."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from django.test import Client
from jwt.algorithms import RSAAlgorithm

from accounts.models import AuditEvent
from agents.models import SignedVersion
from agents.signing.signature import key_id, public_pem, sign, signed_bytes
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import by_session, by_token
from tests.console.api.test_configs import GOOD, upload
from tests.make.configs import make_version
from tests.make.signing import make_key, make_signed, make_trusted

pytestmark = pytest.mark.django_db
PEM = public_pem(make_key().public_key())
HASH = hashlib.sha256(GOOD).hexdigest()


def signed_upload(signature: str) -> Any:
    client = by_token("author")
    headers = {"config-signature": signature}
    return client.generic(
        "POST", "/api/v1/config?name=edge", GOOD, content_type="application/yaml", headers=headers
    )


def test_an_upload_waits_for_the_signer() -> None:
    said = assert_as_documented("config_upload", upload())
    assert said["signature"] == ""
    row = SignedVersion.objects.get()
    assert (row.config_name, row.version, row.body_id) == ("edge", 1, said["config_hash"])
    assert row.signed_at is None


def test_the_same_bytes_wait_once() -> None:
    upload()
    upload()
    assert SignedVersion.objects.count() == 1


def test_a_version_signed_elsewhere_is_taken_with_its_signature() -> None:
    make_trusted(make_key(), is_ours=False)
    signature = sign(make_key(), signed_bytes(HASH))
    said = assert_as_documented("config_upload", signed_upload(signature))
    assert said["signature"] == signature
    assert SignedVersion.objects.get().origin == "upload"


@pytest.mark.parametrize("content", [HASH.encode() + b"\n", GOOD])
def test_a_signature_that_fits_no_trusted_key_is_refused(content: bytes) -> None:
    make_trusted(make_key(), is_ours=False)
    answer = signed_upload(sign(make_key(), content))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_signature")
    assert "without a newline" in answer.json()["detail"]
    assert not SignedVersion.objects.exists()


def test_a_signature_is_found_by_hash() -> None:
    signed = make_signed(make_version().config_hash)
    for shown in (signed.body_id, f"sha256-{signed.body_id}"):
        answer = by_token("viewer").get(f"/api/v1/configs/by-hash/{shown}/signature")
        assert assert_as_documented("configs_signature", answer) == signed.signed().document()
    nothing = by_token("viewer").get(f"/api/v1/configs/by-hash/{'0' * 64}/signature")
    assert nothing.status_code == 404


def test_the_version_shows_its_signature() -> None:
    signed = make_signed(make_version().config_hash)
    answer = by_token("viewer").get("/api/v1/configs/edge/versions/1")
    assert assert_as_documented("configs_version", answer)["signature"] == signed.signature


def test_keys_are_added_listed_and_marked_bad_by_an_administrator() -> None:
    admin = by_session("admin")
    body = {"name": "build server", "public_key": PEM}
    answer = admin.post("/api/v1/signing-keys", body, content_type="application/json")
    added = assert_as_documented("signing_keys_add", answer)
    assert added["key_id"] == key_id(make_key().public_key())
    again = admin.post("/api/v1/signing-keys", body, content_type="application/json")
    assert again.status_code == 409

    make_signed(make_version().config_hash)
    listed = assert_as_documented("signing_keys_list", admin.get("/api/v1/signing-keys"))
    assert [(k["name"], k["versions"]) for k in listed["keys"]] == [("build server", 1)]

    url = f"/api/v1/signing-keys/{added['key_id']}/bad"
    short = admin.post(url, {"reason": "why"}, content_type="application/json")
    assert short.status_code == 422
    said = admin.post(url, {"reason": "the laptop was stolen"}, content_type="application/json")
    marked = assert_as_documented("signing_keys_mark_bad", said)
    assert (marked["versions"], marked["key"]["bad_why"]) == (1, "the laptop was stolen")
    assert (
        admin.post(
            url, {"reason": "once more, please"}, content_type="application/json"
        ).status_code
        == 409
    )
    acts = AuditEvent.objects.order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["key.added", "key.marked_bad"]
    assert Client().get("/.well-known/tidegate-config-keys").json() == {"keys": []}


@pytest.mark.parametrize("role", ["viewer", "author", "operator", "approver"])
def test_nobody_else_changes_keys(role: str) -> None:
    make_trusted(make_key())
    client = by_session(role)
    body = {"name": "x", "public_key": PEM}
    assert (
        client.post("/api/v1/signing-keys", body, content_type="application/json").status_code
        == 403
    )
    url = f"/api/v1/signing-keys/{key_id(make_key().public_key())}/bad"
    assert (
        client.post(url, {"reason": "0123456789"}, content_type="application/json").status_code
        == 403
    )


def test_rubbish_is_no_key() -> None:
    body = {"name": "x", "public_key": "rubbish"}
    answer = by_session("admin").post("/api/v1/signing-keys", body, content_type="application/json")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "public_key")


def test_everybody_may_read_the_public_keys() -> None:
    make_trusted(make_key())
    [key] = Client().get("/.well-known/tidegate-config-keys").json()["keys"]
    assert key["pem"] == PEM
    read = RSAAlgorithm.from_jwk(json.dumps({name: key[name] for name in ("kty", "n", "e")}))
    assert read.public_numbers() == make_key().public_key().public_numbers()  # type: ignore[union-attr]
