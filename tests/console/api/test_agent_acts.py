from __future__ import annotations

from typing import Any

import pytest

from agents.models import Agent, Command
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import Reply, by_token
from tests.console.api.rows import make_agent

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


def test_an_agent_that_cannot_restart_is_refused() -> None:
    url = f"/api/v1/agents/{make_agent().instance_uid}/restart"
    answer = by_token("operator").post(url, {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")
