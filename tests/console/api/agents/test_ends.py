"""Retiring, taking over, rules and refusals over the API."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Agent, AgentEvent, AgentStatus, RefusedAgent, RetirementRule
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import Reply, by_token, queries_of
from tests.make.agents import make_collector
from tests.make.times import NOW

pytestmark = pytest.mark.django_db
JSON = "application/json"


def post(path: str, body: dict[str, Any], role: str = "operator") -> Reply:
    return by_token(role).post(f"/api/v1/{path}", body, content_type=JSON)


def listed(query: str = "") -> list[str]:
    answer = by_token("viewer").get(f"/api/v1/agents{query}")
    return [one["id"] for one in json.loads(answer.getvalue())["agents"]]


def test_one_is_retired_left_out_and_found_again() -> None:
    agent, other = make_collector(connected=False), make_collector()
    done = post(f"agents/{agent.instance_uid}/retire", {"reason": "scrapped"})
    assert_as_documented("agents_retire", done)
    assert listed() == [str(other.instance_uid)]
    assert listed("?selector=*") == [str(other.instance_uid)]
    assert listed("?status=offline") == [str(other.instance_uid)]  # no gateway holds it
    assert listed("?status=retired") == [str(agent.instance_uid)]
    found = by_token("viewer").get(f"/api/v1/agents/{agent.instance_uid}").json()
    assert (found["status"], found["retired_why"]) == ("retired", "scrapped")
    again = post(f"agents/{agent.instance_uid}/retire", {"reason": "scrapped"})
    assert again.status_code == 409


def test_a_connected_one_is_refused() -> None:
    answer = post(f"agents/{make_collector().instance_uid}/retire", {"reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "connected")


def test_a_selection_is_counted_then_retired_in_that_count() -> None:
    for _ in range(3):
        make_collector({"role": "pod"}, connected=False)
    make_collector({"role": "pod"})
    asked = {"selector": "role=pod", "reason": "scaled in"}
    dry = post("agents/retire", {**asked, "dry_run": True})
    counted = assert_as_documented("agents_retire_selection", dry)
    assert (counted["matched"], counted["connected"], counted["count"]) == (4, 1, 3)
    assert counted["retired"] == 0
    without = post("agents/retire", asked)
    assert (without.status_code, without.json()["errors"][0]["path"]) == (422, "count")
    other = post("agents/retire", {**asked, "count": 2})
    assert (other.status_code, other.json()["code"]) == (409, "count_changed")
    assert len(listed()) == 4
    assert post("agents/retire", {**asked, "count": 3}).json()["retired"] == 3
    assert len(listed()) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"selector": "role=", "dry_run": True}, "selector"),
        ({"selector": "*", "not_seen_for": "3", "dry_run": True}, "not_seen_for"),
        ({"selector": "*", "count": 0}, "reason"),
        ({"selector": "*", "cuont": 0}, "cuont"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], field: str) -> None:
    answer = post("agents/retire", body)
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("path", ["agents/retire", "agents/{uid}/retire", "agents/{uid}/take-over"])
def test_a_viewer_may_not(path: str) -> None:
    uid = make_collector(connected=False).instance_uid
    answer = post(path.format(uid=uid), {"selector": "*", "count": 1, "reason": "x"}, "viewer")
    assert answer.status_code == 403
    assert not Agent.objects.filter(retired_at__isnull=False).exists()


def test_a_host_set_up_anew_takes_over() -> None:
    old = make_collector({"host.name": "h"}, connected=False, operator_labels={"team": "edge"})
    new = make_collector({"host.name": "h"}, replaces=old)
    AgentEvent.objects.create(agent=old, at=NOW, kind="restarted", details={})
    detail = by_token("viewer").get(f"/api/v1/agents/{old.instance_uid}").json()
    assert detail["replaced_by"] == str(new.instance_uid)
    done = post(f"agents/{new.instance_uid}/take-over", {"reason": "re-imaged"})
    took = assert_as_documented("agents_take_over", done)
    assert took["operator_labels"] == {"team": "edge"}
    history = by_token("viewer").get(f"/api/v1/agents/{new.instance_uid}/history").json()
    assert "restarted" in [event["kind"] for event in history["events"]]
    assert listed() == [str(new.instance_uid)]
    answer = post(f"agents/{make_collector().instance_uid}/take-over", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_predecessor")


def test_rules_are_saved_listed_and_deleted() -> None:
    client = by_token("admin")
    body = {"selector": "role=pod", "not_seen_for": "6h", "take_over": True, "reason": "autoscaled"}
    put = client.put("/api/v1/retirement-rules/pods", body, content_type=JSON)
    saved = assert_as_documented("retirement_rules_save", put)
    assert (saved["not_seen_for"], saved["take_over"]) == ("6h", True)
    rules = assert_as_documented("retirement_rules_list", client.get("/api/v1/retirement-rules"))
    assert [rule["name"] for rule in rules["retirement_rules"]] == ["default", "pods"]
    assert rules["retirement_rules"][0]["not_seen_for"] == "30d"
    gone = client.delete("/api/v1/retirement-rules/pods", {"reason": "r"}, content_type=JSON)
    assert gone.status_code == 204
    assert RetirementRule.objects.count() == 1
    denied = by_token("operator").put("/api/v1/retirement-rules/x", body, content_type=JSON)
    assert denied.status_code == 403


def test_the_refused_are_listed_newest_first() -> None:
    for n in range(3):
        RefusedAgent.objects.create(
            address=f"192.0.2.{n}",
            reason="malformed",
            claimed_id="<b>",
            times=n + 1,
            first_at=NOW,
            last_at=NOW + timedelta(minutes=n),
        )
    client = by_token("viewer")
    page = assert_as_documented("refused_agents_list", client.get("/api/v1/refused-agents?limit=2"))
    assert [one["address"] for one in page["refused_agents"]] == ["192.0.2.2", "192.0.2.1"]
    rest = client.get(f"/api/v1/refused-agents?after={page['next']}").json()
    assert [one["times"] for one in rest["refused_agents"]] == [1]
    assert rest["next"] is None


def test_lists_cost_the_same_with_many_rows() -> None:
    def cost(path: str) -> int:
        return queries_of(by_token("viewer"), f"/api/v1/{path}")

    paths = ("refused-agents", "retirement-rules", "agents?status=retired")
    few = [cost(path) for path in paths]
    now = timezone.now()
    for n in range(20):
        RefusedAgent.objects.create(address=f"{n}", reason="r", times=1, first_at=now, last_at=now)
        RetirementRule.objects.create(
            name=f"{n}", not_seen_for=timedelta(1), updated_by="x", updated_at=now
        )
        agent = make_collector(connected=False, retired_at=now)
        AgentStatus.objects.filter(agent=agent).update(last_seen_at=now)
    assert [cost(path) for path in paths] == few
