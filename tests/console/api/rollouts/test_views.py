from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from agents.models import Agent, ComponentSet
from rollouts.models import Rollout
from tests.console.api.contract import assert_as_documented
from tests.console.api.fleet import ROLLOUTS, WANTED, create, created, make_edge_fleet, send
from tests.console.api.people import by_session, by_token, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fleet() -> None:
    make_edge_fleet()


def test_a_rollout_is_created_and_started_in_one_step() -> None:
    answer = create(start=True)
    found = assert_as_documented("rollouts_create", answer)
    assert found["state"] in ("running", "scheduled")
    assert (found["config"], found["version"]) == ("edge", 2)
    assert found["number"] == f"R-{found['id']:04d}"
    assert answer["Location"] == f"{ROLLOUTS}/{found['id']}"
    assert answer["ETag"] == f'"{found["revision"]}"'


def test_a_rollout_without_start_is_a_draft() -> None:
    assert created()["state"] == "draft"


def test_a_selector_may_be_an_object() -> None:
    assert created(selector={"labels": {"env": "prod"}})["selector"] == "env=prod"


def test_a_typo_in_the_selector_is_shown_with_a_caret() -> None:
    assert create(selector="env=prod,,").json()["caret"] == "env=prod,,\n         ^"


def test_a_plan_may_be_the_name_of_one() -> None:
    names = [phase["name"] for phase in created(plan="standard")["phases"]]
    assert names[:3] == ["canary", "staging", "production"]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"config": "none"}, "config"),
        ({"version": 9}, "version"),
        ({"version": "2"}, "version"),
        ({"plan": "none"}, "plan"),
        ({"plan": {"phases": [{"weight": 10, "duration": "1m"}]}}, "phases[0].weight"),
        ({"selector": "env=prod,,"}, "selector"),
        ({"selector": ""}, "selector"),
        ({"selecter": "*"}, "selecter"),
        ({"overrides": {"quorum": "nine"}}, "overrides.quorum"),
        ({"when_busy": "shrug"}, "when_busy"),
        ({"start_at": "tomorrow"}, "start_at"),
        ({"start": "perhaps"}, "start"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_a_wrong_field_is_named(wrong: dict[str, Any], path: str) -> None:
    answer = create(**wrong)
    assert answer.status_code == 422, answer.content
    assert path in [error["path"] for error in answer.json()["errors"]]
    assert not Rollout.objects.exists()


def test_what_cannot_start_leaves_no_draft() -> None:
    created(start=True)
    second = create(start=True, version=1)
    assert second.status_code == 409
    assert "R-" in second.json()["detail"]
    assert Rollout.objects.count() == 1


def test_a_finding_is_accepted_by_name_with_a_reason() -> None:
    ComponentSet.objects.create(components_hash="h", names=[], at=timezone.now())
    Agent.objects.update(components_hash="h", capabilities=0x5003)
    refused = create(start=True)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")
    wrong = create(start=True, accept={"offline": "why not"})
    assert [error["path"] for error in wrong.json()["errors"]] == ["accept.offline"]
    answer = create(start=True, accept={"components": "the list is wrong"})
    found = assert_as_documented("rollouts_create", answer)
    (accepted,) = found["accepted"]
    assert (accepted["check"], accepted["reason"]) == ("components", "the list is wrong")
    assert AuditEvent.objects.get(act="rollouts.accept_finding").reason == "the list is wrong"


def test_a_viewer_starts_nothing() -> None:
    assert create(by_token("viewer")).status_code == 403


def test_a_session_without_csrf_token_starts_nothing() -> None:
    assert create(by_session("operator", check_csrf=True)).status_code == 403


def test_a_preview_is_the_plan() -> None:
    body = {key: WANTED[key] for key in ("config", "plan", "selector")}
    found = assert_as_documented("rollouts_preview", send("/preview", body, by_token("viewer")))
    assert (found["matched"], found["eligible"]) == (3, 3)
    assert found["phases"][0]["new_members"] == 3
    assert not Rollout.objects.exists()
    run = create(start=True, seed=found["seed"], seen_preview=found["digest"])
    assert run.status_code == 201


def test_a_rollout_is_read_with_its_revision_as_tag() -> None:
    rollout = created()
    answer = by_token("viewer").get(f"{ROLLOUTS}/{rollout['id']}")
    assert assert_as_documented("rollouts_read", answer) == rollout
    assert answer["ETag"] == f'"{rollout["revision"]}"'


@pytest.mark.parametrize("pk", ["9", "99999999999999999999", "x", "-1", "%00"])
def test_an_unknown_rollout_is_missing(pk: str) -> None:
    assert by_token("viewer").get(f"{ROLLOUTS}/{pk}").status_code == 404


def test_rollouts_are_listed_newest_first_and_by_state() -> None:
    first, second = created(), created(start=True)
    client = by_token("viewer")
    found = assert_as_documented("rollouts_list", client.get(ROLLOUTS))["rollouts"]
    assert [row["id"] for row in found] == [second["id"], first["id"]]
    drafts = client.get(f"{ROLLOUTS}?state=draft&config=edge").json()["rollouts"]
    assert [row["id"] for row in drafts] == [first["id"]]
    assert client.get(f"{ROLLOUTS}?state=odd").status_code == 422


def test_queries_do_not_grow_with_rollouts() -> None:
    client = by_token("viewer")
    created()
    few = queries_of(client, ROLLOUTS)
    for _ in range(3):
        created()
    assert queries_of(client, ROLLOUTS) <= few


def test_queries_of_a_rollout_do_not_grow_with_its_phases() -> None:
    client = by_token("viewer")
    one = created()
    many = created(plan="progressive")
    few = queries_of(client, f"{ROLLOUTS}/{one['id']}")
    assert queries_of(client, f"{ROLLOUTS}/{many['id']}") <= few + 1


def test_the_same_key_starts_once() -> None:
    headers = {"idempotency-key": "job-7"}
    body = {**WANTED, "start": True}
    answers = [send("", body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1]["Location"] == answers[0]["Location"]
    assert Rollout.objects.count() == 1


def test_a_start_is_audited_with_the_token() -> None:
    created(start=True)
    assert AuditEvent.objects.filter(actor_name="operator (token ci)").exists()


def test_a_start_without_an_offset_is_local_to_the_zone_that_is_named() -> None:
    refused = create(start_at="2036-07-01T10:00")
    assert [error["path"] for error in refused.json()["errors"]] == ["start_at"]
    found = created(start_at="2036-07-01T10:00", time_zone="Europe/Berlin")
    assert Rollout.objects.get(pk=found["id"]).start_at == datetime(2036, 7, 1, 8, tzinfo=UTC)
    contradictory = create(start_at="2036-07-01T10:00+05:00", time_zone="Europe/Berlin")
    assert "disagree" in contradictory.json()["detail"]
