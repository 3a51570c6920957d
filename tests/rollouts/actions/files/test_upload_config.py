from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection

from accounts.actor import Actor
from accounts.models import AuditEvent, User
from agents.models import ComponentSet, ConfigBody
from console.lib.problems import Denied, Invalid
from rollouts.actions.files.upload_config import Uploaded, upload_config
from rollouts.configs.findings import worded
from rollouts.models import Config, ConfigVersion
from tests.make.people import make_actor

BODY = b"receivers:\r\n  otlp:   # comment \xe2\x82\xac\r\n\r\n"

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> Actor:
    return make_actor("author")


def test_the_bytes_are_kept_and_hashed_exactly(author: Actor) -> None:
    version = upload_config(name="edge", body=BODY, by=author, message="first").version
    version.refresh_from_db()
    assert bytes(version.body_ref.body) == BODY
    assert version.config_hash == hashlib.sha256(BODY).hexdigest()
    assert (version.number, version.author, version.message) == (1, author.user, "first")


def test_other_bytes_are_the_next_version(author: Actor) -> None:
    upload_config(name="edge", body=BODY, by=author)
    second = upload_config(name="edge", body=BODY + b"\n", by=author)
    assert (second.version.number, second.created) == (2, True)


@pytest.mark.parametrize("later", [b"", b"processors:\n"], ids=["latest", "older"])
def test_the_same_bytes_again_are_the_same_version(author: Actor, later: bytes) -> None:
    first = upload_config(name="edge", body=BODY, by=author).version
    if later:
        upload_config(name="edge", body=later, by=author)
    again = upload_config(name="edge", body=BODY, by=author)
    assert (again.version, again.created) == (first, False)


def test_two_configs_may_hold_the_same_bytes(author: Actor) -> None:
    one = upload_config(name="edge", body=BODY, by=author).version
    other = upload_config(name="core", body=BODY, by=author).version
    assert (one.config_hash, other.number) == (other.config_hash, 1)
    assert ConfigBody.objects.count() == 1


def test_findings_are_kept_with_the_version(author: Actor) -> None:
    body = b"receivers:\n  otlp:\nexporters: {debug: }\nservice:\n  pipelines:\n    traces: {receivers: [x]}\n"
    version = upload_config(name="edge", body=body, by=author).version
    errors = [check for check in version.checks if check["level"] == "error"]
    assert [check["line"] for check in errors] == [6, 6]


def test_components_that_agents_lack_are_a_warning(author: Actor) -> None:
    ComponentSet.objects.create(
        components_hash="x", names=["receiver:zipkin"], at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    version = upload_config(name="edge", body=BODY, by=author).version
    (warning,) = [worded(check) for check in version.checks if check["check"] == "available"]
    assert "receiver otlp is not in the build" in warning["message"]


def test_an_upload_is_audited_once(author: Actor) -> None:
    upload_config(name="edge", body=BODY, by=author, message="why")
    upload_config(name="edge", body=BODY, by=author, message="again")
    event = AuditEvent.objects.get(act="configs.upload")
    assert (event.object_name, event.reason, event.actor) == ("edge v1", "why", author.user)


@pytest.mark.parametrize("body", [b"", b"a: [", b"receivers:  otlp:    endpoint: x"])
def test_what_is_no_config_leaves_nothing_behind(author: Actor, body: bytes) -> None:
    with pytest.raises(Invalid):
        upload_config(name="edge", body=body, by=author)
    assert not Config.objects.exists()


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "x" * 101, "é", "new"])
def test_a_name_is_a_plain_word(author: Actor, name: str) -> None:
    with pytest.raises(Invalid, match="cannot be a name"):
        upload_config(name=name, body=BODY, by=author)


@pytest.mark.parametrize("role", ["viewer", "operator", "approver"])
def test_only_authors_upload(role: str) -> None:
    with pytest.raises(Denied):
        upload_config(name="edge", body=BODY, by=make_actor(role))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", [True, False])
def test_uploads_at_once_get_numbers_without_gaps(same: bool) -> None:
    author = make_actor("author")

    def upload(number: int) -> Uploaded:
        body = BODY if same else BODY + b"# %d\n" % number
        actor = Actor.of(User.objects.get(pk=author.user.pk))  # type: ignore[union-attr]
        try:
            return upload_config(name="edge", body=body, by=actor)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(upload, range(8)))
    numbers = sorted(ConfigVersion.objects.values_list("number", flat=True))
    assert numbers == ([1] if same else list(range(1, 9)))
    assert sum(uploaded.created for uploaded in done) == len(numbers)
