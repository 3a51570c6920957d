from __future__ import annotations

from typing import Any

import pytest

from rollouts.models import Rollback
from tests.console.api.contract import assert_as_documented
from tests.console.api.fleet import make_edge_fleet
from tests.console.api.people import Reply, by_token, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fleet() -> None:
    make_edge_fleet()


def roll_back(role: str = "operator", **changes: Any) -> Reply:
    body = {"selector": "env=prod", "reason": "queues grow", **changes}
    return by_token(role).post("/api/v1/rollback", body, content_type="application/json")


def test_a_rollback_by_selector_begins_and_can_be_followed() -> None:
    answer = roll_back(to_version=2, config="edge", requested_by="pager")
    found = assert_as_documented("rollback", answer)
    assert answer["Location"] == found["status_url"]
    assert found["counts"]["targets"] == 3
    assert "pager" in found["reason"]
    again = by_token("viewer").get(f"/api/v1/rollbacks/{found['id']}")
    assert assert_as_documented("rollbacks_read", again)["id"] == found["id"]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"selector": "a=,"}, "selector"),
        ({"to_version": "next"}, "to_version"),
        ({"to_version": 0}, "to_version"),
        ({"to_version": 9, "config": "edge"}, "to_version"),
        ({"config_hash": "a" * 64}, "config_hash"),
        ({"reason": ""}, "reason"),
        ({"config_hash": "abc"}, "config_hash"),
        ({"config_hash": "a" * 64, "to_version": 1}, "config_hash"),
        ({"method": "slowly"}, "method"),
        ({"selectors": "*"}, "selectors"),
    ],
)
def test_a_wrong_field_is_named(wrong: dict[str, Any], path: str) -> None:
    answer = roll_back(**wrong)
    assert answer.status_code == 422
    assert path in [error["path"] for error in answer.json()["errors"]]
    assert not Rollback.objects.exists()


def test_a_viewer_rolls_nothing_back() -> None:
    assert roll_back(role="viewer").status_code == 403


def test_an_unknown_rollback_is_missing() -> None:
    assert by_token("viewer").get("/api/v1/rollbacks/9").status_code == 404


def test_rollbacks_are_listed_and_queries_do_not_grow() -> None:
    client = by_token("viewer")
    roll_back(to_version=2, config="edge")
    found = assert_as_documented("rollbacks_list", client.get("/api/v1/rollbacks"))
    assert len(found["rollbacks"]) == 1
    few = queries_of(client, "/api/v1/rollbacks")
    roll_back(to_version=1, config="edge")
    assert queries_of(client, "/api/v1/rollbacks") <= few


def test_events_of_a_rollback_are_read() -> None:
    pk = roll_back(to_version=2, config="edge").json()["id"]
    answer = by_token("viewer").get(f"/api/v1/rollbacks/{pk}/events")
    assert assert_as_documented("rollbacks_events", answer)["events"]


def test_a_dry_run_counts_and_does_nothing() -> None:
    answer = roll_back(to_version=2, config="edge", dry_run=True, reason="")
    found = assert_as_documented("rollback", answer)
    assert answer.status_code == 200
    assert found["count"] == sum(move["agents"] for move in found["moves"])
    assert {move["to_version"] for move in found["moves"]} == {"edge v2"}
    assert not Rollback.objects.exists()


def test_what_a_dry_run_showed_is_done() -> None:
    seen = roll_back(to_version=2, config="edge", dry_run=True).json()
    answer = roll_back(
        to_version=2, config="edge", count=seen["count"], seen_preview=seen["digest"]
    )
    assert answer.status_code == 202


def test_another_count_is_refused() -> None:
    answer = roll_back(to_version=2, config="edge", count=99)
    assert (answer.status_code, answer.json()["code"]) == (409, "count_changed")
    assert not Rollback.objects.exists()


def test_another_preview_is_refused() -> None:
    seen = roll_back(to_version=2, config="edge", dry_run=True).json()
    answer = roll_back(to_version=1, config="edge", seen_preview=seen["digest"])
    assert (answer.status_code, answer.json()["code"]) == (409, "count_changed")
    assert not Rollback.objects.exists()
