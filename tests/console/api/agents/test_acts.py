from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from agents.models import Agent, Command, ConfigStatus
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import Reply, by_token
from tests.make.agents import make_agent
from tests.make.configs import make_body

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    return make_agent(capabilities=0xFFFF, labels={"env": "prod"})


def label(agent: Agent, role: str = "operator", **body: Any) -> Reply:
    url = f"/api/v1/agents/{agent.instance_uid}/labels"
    return by_token(role).patch(url, body, content_type="application/json")


def test_labels_are_set_and_removed(agent: Agent) -> None:
    found = assert_as_documented("agents_label", label(agent, set={"team": "edge", "a": "b"}))
    assert found["operator_labels"] == {"team": "edge", "a": "b"}
    found = label(agent, remove=["a"], reason="moved").json()
    assert found["labels"]["team"] == "edge"
    assert "a" not in found["operator_labels"]
    url = f"/api/v1/agents/{agent.instance_uid}/labels"
    assert assert_as_documented("agents_labels", by_token("viewer").get(url)) == found


@pytest.mark.parametrize(
    "wrong", [{"set": []}, {"set": {"": "x"}}, {"set": {"a": 1}}, {"remove": "a"}, {"labels": {}}]
)
def test_labels_that_are_none_are_refused(agent: Agent, wrong: dict[str, Any]) -> None:
    assert label(agent, **wrong).status_code == 422


def test_a_viewer_labels_nothing(agent: Agent) -> None:
    assert label(agent, role="viewer", set={"a": "b"}).status_code == 403


def test_a_restart_is_queued(agent: Agent) -> None:
    url = f"/api/v1/agents/{agent.instance_uid}/restart"
    answer = by_token("operator").post(url, {"reason": "stuck"}, content_type="application/json")
    assert answer.status_code == 202
    assert_as_documented("agents_restart", answer)
    assert Command.objects.get().agent == agent


def act(agent: Agent, name: str, role: str = "operator", **body: Any) -> Reply:
    url = f"/api/v1/agents/{agent.instance_uid}/{name}"
    return by_token(role).post(url, body, content_type="application/json")


def test_a_full_report_is_asked_for(agent: Agent) -> None:
    assert_as_documented("agents_full_state", act(agent, "full-state"))
    assert Command.objects.get().kind == Command.Kind.FULL_STATE


def test_a_new_id_is_ordered_and_told(agent: Agent) -> None:
    found = assert_as_documented("agents_rename", act(agent, "rename", reason="cloned disk"))
    assert UUID(found["new_id"]).hex == Command.objects.get().details["new_uid"]


def test_a_custom_message_is_queued(agent: Agent) -> None:
    Agent.objects.update(custom_capabilities=["com.example.logs"])
    sent = {"capability": "com.example.logs", "type": "level", "content": "debug"}
    assert_as_documented("agents_custom_message", act(agent, "custom-message", **sent))
    assert bytes(Command.objects.get().data) == b"debug"
    refused = act(agent, "custom-message", **{**sent, "capability": "another"})
    assert (refused.status_code, refused.json()["code"]) == (409, "refused")


def test_settings_are_offered_and_never_given_back(agent: Agent) -> None:
    offer = {"own_logs": {"destination_endpoint": "https://a/v1/logs", "headers": {"Auth": "hush"}}}
    found = assert_as_documented("agents_offer_settings", act(agent, "settings", settings=offer))
    assert (found["kinds"], found["settings_status"]) == (["own_logs"], None)
    url = f"/api/v1/agents/{agent.instance_uid}/settings"
    answer = by_token("viewer").get(url)
    assert assert_as_documented("agents_settings", answer) == found
    assert b"hush" not in answer.content


def test_wrong_settings_are_refused_with_their_places(agent: Agent) -> None:
    wrong = {"opamp": {"destination_endpoint": "nowhere"}, "own_logs": {"headers": []}}
    answer = act(agent, "settings", settings=wrong)
    assert answer.status_code == 422
    assert {error["path"] for error in answer.json()["errors"]} == {
        "settings.opamp",
        "settings.opamp.destination_endpoint",
        "settings.own_logs.headers",
    }


def test_settings_that_an_agent_does_not_take_are_refused() -> None:
    offer = {"own_logs": {"destination_endpoint": "https://a/v1/logs"}}
    assert act(make_agent(capabilities=0x7), "settings", settings=offer).status_code == 409


@pytest.mark.parametrize("name", ["full-state", "rename", "custom-message", "settings"])
def test_a_viewer_does_none_of_it(agent: Agent, name: str) -> None:
    assert act(agent, name, role="viewer").status_code == 403


def test_an_agent_that_cannot_restart_is_refused() -> None:
    url = f"/api/v1/agents/{make_agent().instance_uid}/restart"
    answer = by_token("operator").post(url, {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")


def test_a_config_that_was_refused_is_offered_again() -> None:
    config_hash = make_body("receivers: {}\n")
    agent = make_agent(
        capabilities=0xFFFF,
        desired_hash=config_hash,
        status={"config_hash": config_hash, "config_status": ConfigStatus.FAILED},
    )
    answer = act(agent, "retry-config", reason="disk freed")
    assert answer.status_code == 202
    found = assert_as_documented("agents_retry_config", answer)
    assert found == {"id": str(agent.instance_uid), "config_hash": config_hash}
    assert act(agent, "retry-config", role="viewer").status_code == 403


def test_an_agent_that_runs_its_config_has_nothing_to_retry(agent: Agent) -> None:
    answer = act(agent, "retry-config")
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")
