from __future__ import annotations

import pytest

from agents.models import AgentStatus
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import by_token
from tests.make.agents import make_agents, make_fleet

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/agents/facets"


def test_agents_are_counted_by_what_they_have_in_common() -> None:
    one, two, *_ = make_fleet(3)
    for agent in (one, two):
        AgentStatus.objects.filter(agent=agent).update(sick_component="exporter otlp/eu: refused")
    found = assert_as_documented("agents_facets", by_token("viewer").get(ADDRESS))
    assert found["agents"] == 3
    assert found["statuses"] == [
        {"value": "degraded", "agents": 2},
        {"value": "healthy", "agents": 1},
    ]
    assert found["sick_components"] == [{"value": "exporter:otlp/eu", "agents": 2}]
    assert found["labels"]["env"] == [{"value": "prod", "agents": 3}]


def test_a_selector_narrows_them() -> None:
    one, *_ = make_fleet(3)
    AgentStatus.objects.filter(agent=one).update(sick_component="exporter otlp/eu: refused")
    asked = {"selector": "sick_component=exporter:otlp/eu"}
    assert by_token("viewer").get(ADDRESS, asked).json()["agents"] == 1
    assert by_token("viewer").get(ADDRESS, {"selector": "sick_component"}).json()["agents"] == 1
    assert by_token("viewer").get(ADDRESS, {"status": "healthy"}).json()["agents"] == 2


def test_a_selector_that_cannot_be_read_is_refused() -> None:
    answer = by_token("viewer").get(ADDRESS, {"selector": "sick_component>=1"})
    assert answer.status_code == 422
    assert "sick_component has no order" in answer.json()["detail"]


def test_labels_that_name_one_agent_each_are_left_out() -> None:
    make_agents(2)
    for n, agent in enumerate(make_fleet(201)):
        type(agent).objects.filter(pk=agent.pk).update(labels={"env": "prod", "pod": f"p{n}"})
    assert set(by_token("viewer").get(ADDRESS).json()["labels"]) == {"env"}
