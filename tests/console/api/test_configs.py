from __future__ import annotations

import hashlib

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import AuditEvent
from rollouts.models import ConfigVersion
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import Reply, by_session, by_token, queries_of

pytestmark = pytest.mark.django_db
GOOD = b"""receivers: {otlp: {protocols: {grpc: {}}}}
exporters: {debug: {}}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
"""
OTHER = GOOD + b"# a comment, with \xc3\xbcmlaut\r\n"


def upload(
    body: bytes = GOOD,
    name: str = "edge",
    kind: str = "application/yaml",
    client: Client | None = None,
) -> Reply:
    client = client or by_token("author")
    return client.generic("POST", f"/api/v1/config?name={name}", body, content_type=kind)


def test_new_bytes_are_the_next_version() -> None:
    first = assert_as_documented("config_upload", upload())
    second = assert_as_documented("config_upload", upload(OTHER))
    assert (first["name"], first["version"], second["version"]) == ("edge", 1, 2)
    assert first["config_hash"] == hashlib.sha256(GOOD).hexdigest()
    assert first["url"].endswith("/configs/edge/v/1/")


def test_the_same_bytes_are_the_same_version() -> None:
    upload()
    again = upload()
    assert again.status_code == 200
    assert assert_as_documented("config_upload", again)["version"] == 1


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "application/json", "", "what/ever"]
)
def test_any_content_type_is_taken(kind: str) -> None:
    assert upload(kind=kind).status_code == 201


def test_the_bytes_come_back_exactly() -> None:
    upload(OTHER)
    answer = by_token("viewer").get("/api/v1/configs/edge/versions/1/body")
    assert answer.content == OTHER
    assert answer["ETag"] == f'"{hashlib.sha256(OTHER).hexdigest()}"'


def test_bytes_one_already_has_are_not_sent_again() -> None:
    upload()
    url, client = "/api/v1/configs/edge/versions/latest/body", by_token("viewer")
    etag = client.get(url)["ETag"]
    again = client.get(url, headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_config_without_a_name_is_told_where_to_say_it() -> None:
    answer = by_token("author").generic("POST", "/api/v1/config", GOOD)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "name"


@pytest.mark.parametrize("name", ["a b", "../x", "%00", "x" * 101, "-", "ünï"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    assert upload(name=name).status_code == 422


@pytest.mark.parametrize(
    "body", [b"", b"\x00", b"\xff\xfe", b"a: [", b"a: 1\na: 2", b"- list", b"&a [*a]", b"[" * 9000]
)
def test_what_is_no_config_is_refused_and_not_kept(body: bytes) -> None:
    answer = upload(body)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert not ConfigVersion.objects.exists()


def test_a_body_whose_line_breaks_curl_removed_is_explained() -> None:
    answer = upload(GOOD.replace(b"\n", b""), kind="application/x-www-form-urlencoded")
    assert answer.status_code == 422
    assert "--data-binary" in answer.json()["detail"]


def test_a_config_over_four_mebibytes_is_refused() -> None:
    answer = upload(b"a: " + b"x" * (4 * 1024 * 1024))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_viewer_uploads_nothing() -> None:
    assert upload(client=by_token("viewer")).status_code == 403


def test_an_upload_is_audited_with_its_token() -> None:
    upload()
    row = AuditEvent.objects.get(act="configs.upload")
    assert row.actor_name == "author (token ci)"
    assert row.address == "127.0.0.1"
    assert row.request_id


def test_a_session_needs_the_csrf_token() -> None:
    answer = upload(client=by_session("author", check_csrf=True))
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json"])
def test_a_session_uploads_under_any_content_type(kind: str) -> None:
    client = by_session("author", check_csrf=True)
    client.cookies[settings.CSRF_COOKIE_NAME] = secret = "a" * 32
    answer = client.generic(
        "POST", "/api/v1/config?name=edge", GOOD, content_type=kind, headers={"X-CSRFToken": secret}
    )
    assert answer.status_code == 201


def test_a_token_needs_no_csrf_token() -> None:
    client = by_token("author")
    client.handler.enforce_csrf_checks = True
    assert upload(client=client).status_code == 201


def test_configs_and_versions_are_listed_newest_first() -> None:
    upload()
    upload(OTHER)
    configs = assert_as_documented("configs_list", by_token("viewer").get("/api/v1/configs"))
    assert [(c["name"], c["latest"]) for c in configs["configs"]] == [("edge", 2)]
    url = "/api/v1/configs/edge/versions"
    first = assert_as_documented("configs_versions", by_token("viewer").get(f"{url}?limit=1"))
    assert [v["version"] for v in first["versions"]] == [2]
    rest = by_token("viewer").get(f"{url}?limit=1&after={first['next']}").json()
    assert [v["version"] for v in rest["versions"]] == [1]


def test_one_version_is_read_by_number_or_as_the_latest() -> None:
    upload()
    client, url = by_token("viewer"), "/api/v1/configs/edge/versions"
    found = assert_as_documented("configs_version", client.get(f"{url}/1"))
    assert client.get(f"{url}/latest").json() == found


@pytest.mark.parametrize("number", ["2", "0", "x", "99999999999999999999", "%00"])
def test_an_unknown_version_is_missing(number: str) -> None:
    upload()
    answer = by_token("viewer").get(f"/api/v1/configs/edge/versions/{number}")
    assert answer.status_code == 404


def test_queries_do_not_grow_with_versions() -> None:
    client, url = by_token("viewer"), "/api/v1/configs/edge/versions"
    upload()
    few = queries_of(client, url)
    for n in range(1, 6):
        upload(GOOD + b"#" * n)
    assert queries_of(client, url) <= few
