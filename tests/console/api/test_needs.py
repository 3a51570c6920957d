"""`needs` over the API: the list, and acknowledging one of it."""

from __future__ import annotations

import pytest
from django.utils import timezone

from agents.models import RefusedAgent
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import by_token

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def refused() -> RefusedAgent:
    return RefusedAgent.objects.create(
        address="10.0.0.1", reason="credential_missing", times=1, first_at=NOW, last_at=NOW
    )


def test_the_list_says_what_it_is_and_since_when() -> None:
    answer = by_token("viewer").get("/api/v1/needs")
    [need] = assert_as_documented("needs_list", answer)["needs"]
    assert (need["kind"], need["about_kind"]) == ("at_the_door", "refused")
    assert need["says"] == "1 agent is refused at the door"
    assert need["acknowledged_by"] == ""


def test_a_token_acknowledges_in_the_name_of_its_owner() -> None:
    client = by_token("operator")
    [need] = client.get("/api/v1/needs").json()["needs"]
    body = {"kind": need["kind"], "subject": need["subject"], "facts": need["facts"]}
    answer = client.post("/api/v1/needs/acknowledge", body, content_type="application/json")
    [known] = assert_as_documented("needs_acknowledge", answer)["needs"]
    assert known["acknowledged_by"] == "operator (token ci)"


def test_other_facts_than_were_seen_change_nothing() -> None:
    body = {"kind": "at_the_door", "subject": "all", "facts": "0"}
    client = by_token("operator")
    answer = client.post("/api/v1/needs/acknowledge", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert client.get("/api/v1/needs").json()["needs"][0]["acknowledged_by"] == ""
