from __future__ import annotations

import pytest

from rollouts.models import Config, NamedSelector, Plan
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import Reply, by_token

pytestmark = pytest.mark.django_db
BOTH = b"""selectors:
  - {name: prod, labels: {env: prod}}
---
name: slow
phases: [{weight: 100%, duration: 1h}]
"""


def send(body: bytes = BOTH, query: str = "", role: str = "author") -> Reply:
    return by_token(role).generic("POST", f"/api/v1/apply{query}", body, content_type="text/yaml")


def test_everything_in_a_file_is_applied() -> None:
    found = assert_as_documented("apply", send())
    assert [(one["kind"], one["change"]) for one in found["applied"]] == [
        ("selector", "created"),
        ("plan", "created"),
    ]
    assert NamedSelector.objects.filter(name="prod").exists()


def test_applying_twice_changes_nothing() -> None:
    send()
    assert {one["change"] for one in send().json()["applied"]} == {"unchanged"}


def test_a_dry_run_shows_the_difference_and_keeps_nothing() -> None:
    found = assert_as_documented("apply", send(query="?dry_run=true"))
    assert found["dry_run"] is True
    assert "+phases:" in found["applied"][1]["difference"]
    assert not Plan.objects.filter(name="slow").exists()


def test_a_collector_file_is_a_config_of_its_name() -> None:
    body = b"receivers: {otlp: {}}\nexporters: {debug: {}}\nservice: {pipelines: {}}\n"
    found = assert_as_documented("apply", send(body, "?file=edge.yaml"))
    assert (found["applied"][0]["name"], found["applied"][0]["version"]) == ("edge", 1)


def test_one_mistake_keeps_everything_out() -> None:
    answer = send(BOTH.replace(b"100%", b"100"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"].startswith("body:")
    assert not NamedSelector.objects.exists()


@pytest.mark.parametrize("body", [b"", b"\x00", b"\xff", b"--- []", b"a: 1", b"&a [*a]"])
def test_what_is_no_file_of_ours_is_refused(body: bytes) -> None:
    assert send(body).status_code == 422


def test_a_dry_run_that_is_neither_is_refused() -> None:
    assert send(query="?dry_run=maybe").status_code == 422


def test_an_operator_applies_nothing() -> None:
    assert send(role="operator").status_code == 403
    assert not Config.objects.exists()
