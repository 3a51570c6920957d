from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import AgentAlias, AgentBody, AgentEvent, Delivery
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import by_token, queries_of
from tests.make.agents import make_agent, make_agents, make_gateway

pytestmark = pytest.mark.django_db
NEW, OLD = "b" * 64, "a" * 64


def listed(query: str = "") -> dict[str, Any]:
    return assert_as_documented("agents_list", by_token("viewer").get(f"/api/v1/agents{query}"))


def test_lists_what_an_agent_is_and_says() -> None:
    agent = make_agent(
        "gw-7",
        version="1.4.0",
        labels={"env": "prod"},
        desired_hash=NEW,
        status={
            "gateway": make_gateway(),
            "connected": True,
            "healthy": True,
            "running_hash": OLD,
            "config_hash": NEW,
            "config_status": 3,
            "config_error": "unknown processor",
        },
    )
    found = listed()["agents"][0]
    assert found["id"] == str(agent.instance_uid)
    assert found["name"] == "gw-7"
    assert found["labels"] == {"env": "prod"}
    assert (found["connected"], found["healthy"]) == (True, True)
    assert (found["config_hash"], found["desired_config_hash"]) == (OLD, NEW)
    assert (found["config_status"], found["config_error"]) == ("failed", "unknown processor")


def test_an_agent_that_said_nothing_yet_has_no_words() -> None:
    make_agent()
    found = listed()["agents"][0]
    assert found["connected"] is False
    assert found["healthy"] is None
    assert found["config_status"] is None


def test_an_agent_of_a_dead_gateway_is_not_connected() -> None:
    late = make_gateway(renewed_at=timezone.now() - timedelta(minutes=1))
    make_agent(status={"gateway": late, "connected": True})
    assert listed()["agents"][0]["connected"] is False


def test_an_empty_fleet_is_an_empty_list() -> None:
    assert listed() == {"agents": [], "next": None, "notes": []}


def test_the_list_is_complete_without_a_page() -> None:
    make_agents(1203)
    found = listed()
    assert len({agent["id"] for agent in found["agents"]}) == 1203
    assert found["next"] is None


def test_pages_follow_each_other_without_gap_or_overlap() -> None:
    make_agents(7)
    first = listed("?limit=3")
    second = listed(f"?limit=3&after={first['next']}")
    third = listed(f"?limit=3&after={second['next']}")
    ids = [agent["id"] for page in (first, second, third) for agent in page["agents"]]
    assert len(ids) == len(set(ids)) == 7
    assert third["next"] is None


def test_a_selector_narrows_the_list() -> None:
    make_agent("a", labels={"env": "prod"})
    make_agent("b", labels={"env": "dev"})
    for name in ("selector", "q"):
        assert [agent["name"] for agent in listed(f"?{name}=env%3Dprod")["agents"]] == ["a"]


def test_a_typo_in_a_selector_is_shown_with_a_caret() -> None:
    answer = by_token("viewer").get("/api/v1/agents", {"selector": "env=prod,,"})
    assert answer.status_code == 422
    assert answer.json()["caret"].endswith("^")


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=10001", "after=-1", "after=9e9"])
def test_a_wrong_page_is_refused(query: str) -> None:
    answer = by_token("viewer").get(f"/api/v1/agents?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == query.split("=")[0]


def test_queries_do_not_grow_with_agents() -> None:
    client = by_token("viewer")
    make_agents(2)
    few = queries_of(client, "/api/v1/agents")
    make_agents(200)
    assert queries_of(client, "/api/v1/agents") <= few <= 5


def test_an_agent_is_read_by_its_uid() -> None:
    agent = make_agent(capabilities=0x2, status={})
    url = f"/api/v1/agents/{agent.instance_uid}"
    found = assert_as_documented("agents_read", by_token("viewer").get(url))
    assert found["id"] == str(agent.instance_uid)
    assert found["capabilities"] == ["accepts_remote_config"]


def test_an_agent_is_found_by_its_former_uid() -> None:
    agent, former = make_agent(), uuid.uuid4()
    AgentAlias.objects.create(agent=agent, instance_uid=former, at=timezone.now())
    found = by_token("viewer").get(f"/api/v1/agents/{former.hex}").json()
    assert found["id"] == str(agent.instance_uid)


@pytest.mark.parametrize("uid", [str(uuid.UUID(int=1)), "nonsense", "%00", "1"])
def test_an_unknown_agent_is_missing(uid: str) -> None:
    answer = by_token("viewer").get(f"/api/v1/agents/{uid}")
    assert (answer.status_code, answer.json()["code"]) == (404, "missing")


def test_deliveries_are_read_newest_first() -> None:
    agent = make_agent()
    for config_hash in (OLD, NEW):
        Delivery.objects.create(
            agent=agent, config_hash=config_hash, state="applied", offered_at=timezone.now()
        )
    answer = by_token("viewer").get(f"/api/v1/agents/{agent.instance_uid}/deliveries")
    found = assert_as_documented("agents_deliveries", answer)["deliveries"]
    assert [delivery["config_hash"] for delivery in found] == [NEW, OLD]


def test_history_is_read_in_pages() -> None:
    agent = make_agent()
    for kind in ("connected", "disconnected"):
        AgentEvent.objects.create(agent=agent, at=timezone.now(), kind=kind)
    url = f"/api/v1/agents/{agent.instance_uid}/history?limit=1"
    first = assert_as_documented("agents_history", by_token("viewer").get(url))
    second = by_token("viewer").get(f"{url}&after={first['next']}").json()
    assert [first["events"][0]["kind"], second["events"][0]["kind"]] == [
        "disconnected",
        "connected",
    ]


def test_what_an_agent_reported_in_full_is_read_apart() -> None:
    agent = make_agent()
    AgentBody.objects.create(
        agent=agent, part="health", body_hash=OLD, body={"healthy": True}, at=timezone.now()
    )
    answer = by_token("viewer").get(f"/api/v1/agents/{agent.instance_uid}/health")
    assert assert_as_documented("agents_health", answer)["body"] == {"healthy": True}


def test_what_an_agent_never_reported_is_missing() -> None:
    agent = make_agent()
    answer = by_token("viewer").get(f"/api/v1/agents/{agent.instance_uid}/effective-config")
    assert answer.status_code == 404


def test_a_label_that_nobody_has_is_said_beside_the_list() -> None:
    make_agent("gw-7", labels={"env": "prod"})
    found = listed("?selector=nmae!%3Dx")
    assert len(found["agents"]) == 1
    assert found["notes"] == ["No agent has the label nmae; did you mean name?"]
    assert listed("?selector=name~gw-*,status%3Doffline")["notes"] == []
    assert len(listed("?q=name%3Dgw-7")["agents"]) == 1
