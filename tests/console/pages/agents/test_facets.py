"""The facet of unhealthy components: counted by component, and its boxes edit the selector."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from accounts.actor import SYSTEM
from agents.models import Agent, AgentStatus
from console.pages.agents import facets
from console.pages.agents.filters import read
from tests.console.pages.agents.test_filters import given
from tests.make.agents import make_fleet
from tests.make.people import sign_in
from tests.make.times import NOW

pytestmark = pytest.mark.django_db

OTLP = "exporter otlp/eu: connection refused"


@pytest.fixture(autouse=True)
def _counted_anew() -> None:
    cache.clear()


@pytest.fixture
def fleet() -> list[Agent]:
    agents = make_fleet(5)
    for agent, says in zip(
        agents, [OTLP, OTLP + " again", "receiver otlp: port taken"], strict=False
    ):
        AgentStatus.objects.filter(agent=agent).update(sick_component=says)
    return agents


def components(**params: Any) -> list[tuple[str, int, bool]]:
    found = facets.read(read(given(**params)), SYSTEM, NOW, wanted=[])
    boxes = [facet for facet in found.boxes if facet.key == "sick_component"]
    return [(v.value, v.count, v.is_ticked) for facet in boxes for v in facet.values]


def test_agents_are_counted_by_the_component_that_they_call_unhealthy(fleet: list[Agent]) -> None:
    assert components() == [("exporter:otlp/eu", 2, False), ("receiver:otlp", 1, False)]


def test_without_any_there_is_no_facet() -> None:
    make_fleet(2)
    assert components() == []


def test_a_ticked_one_ignores_its_own_filter_and_is_shown_though_nobody_has_it(
    fleet: list[Agent],
) -> None:
    assert components(q="sick_component=receiver:otlp") == [
        ("receiver:otlp", 1, True),
        ("exporter:otlp/eu", 2, False),
    ]
    assert components(q='sick_component="exporter nop",env=none') == [("exporter:nop", 0, True)]


def test_a_ticked_box_becomes_a_term_of_the_selector() -> None:
    ticked: dict[str, Any] = {"facets": "1", "shown": ["sick_component"]}
    form = read(given(**ticked, **{"label.sick_component": "exporter:otlp/eu"}))
    assert form.text == "sick_component=exporter:otlp/eu"
    assert read(given(**ticked, q=form.text)).text == ""


def test_the_page_shows_the_facet_and_narrows_the_list(fleet: list[Agent]) -> None:
    client = sign_in("viewer-1", "viewer")
    headers = {"HX-Request": "true", "HX-Target": "agent-facets"}
    page = client.get("/agents/", headers=headers).content.decode()
    assert "Unhealthy component" in page
    assert 'value="exporter:otlp/eu"' in page
    listed = client.get("/agents/?q=sick_component%3Dexporter:otlp/eu").content.decode()
    assert [agent.name in listed for agent in fleet] == [True, True, False, False, False]
