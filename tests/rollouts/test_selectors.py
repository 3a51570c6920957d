"""Selectors that ask which config agents run, and labels that no agent has."""

from __future__ import annotations

import pytest

from agents.models import Agent
from agents.selectors.errors import SelectorError
from agents.selectors.grammar import parse
from rollouts.actions.files.save_selector import save_selector
from rollouts.selectors import labels_nobody_has, notes_on, selector_q
from tests.make.agents import make_collector
from tests.make.configs import make_version
from tests.make.people import make_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def _fleet() -> None:
    gateway = [make_version("gateway") for _ in range(3)]
    edge = make_version("edge-eu")
    make_collector(name="one", running_hash=gateway[0].config_hash)
    make_collector(name="three", running_hash=gateway[2].config_hash)
    make_collector(name="edge", running_hash=edge.config_hash)
    make_collector(name="none")
    make_collector(name="other", running_hash="ab" * 32)


def found(text: str) -> set[str]:
    agents = Agent.objects.matching(selector_q(parse(text)))
    return set(agents.values_list("name", flat=True))


@pytest.mark.usefixtures("_fleet")
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("config=gateway", {"one", "three"}),
        ("config=gateway@v3", {"three"}),
        ("config=gateway@3", {"three"}),
        ("config=gateway@v2", set()),
        ("config!=gateway@v3", {"one", "edge", "none", "other"}),
        ("config in (gateway@v1,edge-eu)", {"one", "edge"}),
        ("config~edge-*", {"edge"}),
        ("config~gateway@v?", {"one", "three"}),
        ("config~nothing*", set()),
        ("config", {"one", "three", "edge"}),
        ("!config", {"none", "other"}),
        ("config=gateway,name!=one", {"three"}),
        ("@gateways,config!~*@v1", {"three"}),
    ],
)
def test_config_is_what_an_agent_runs(text: str, names: set[str]) -> None:
    save_selector(name="gateways", selector="config=gateway", by=make_actor("admin"))
    assert found(text) == names


@pytest.mark.usefixtures("_fleet")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("config=gatewey", "There is no config gatewey; did you mean gateway?"),
        ("config=zzz", "There is no config zzz."),
        ("config=gateway@v9", "The config gateway has no version v9; the newest is v3."),
        ("env=x or config in (gateway,nope)", "There is no config nope."),
    ],
)
def test_a_config_that_is_not_there_is_refused(text: str, says: str) -> None:
    with pytest.raises(SelectorError) as caught:
        selector_q(parse(text))
    assert caught.value.detail == says


def test_a_label_that_nobody_has_is_said_with_what_was_meant() -> None:
    make_collector({"env": "prod", "region": "eu"})
    assert notes_on([parse("nmae=x")]) == ["No agent has the label nmae; did you mean name?"]
    assert notes_on([parse("regoin!=x,env=prod,name=x,status=offline")]) == [
        "No agent has the label regoin; did you mean region?"
    ]
    assert notes_on([parse("!zzz"), parse("*")]) == ["No agent has the label zzz."]
    assert notes_on([parse("env=nothing,region"), parse("has(version>=1)")]) == []


def test_labels_of_the_retired_count_for_nothing() -> None:
    agent = make_collector({"old": "x"})
    make_collector({"env": "prod"})
    assert not labels_nobody_has([parse("old=x")])
    Agent.objects.filter(pk=agent.pk).update(retired_at=agent.first_seen_at)
    assert [one.key for one in labels_nobody_has([parse("old=x")])] == ["old"]


def test_what_is_right_costs_one_query(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    make_collector({"env": "prod", "region": "eu"})
    with django_assert_num_queries(1):
        assert not labels_nobody_has([parse("env=prod,region=eu,name=x")])
    with django_assert_num_queries(0):
        assert not labels_nobody_has([parse("name=x")])


def test_of_a_fleet_that_is_yet_to_come_nothing_is_said() -> None:
    assert not labels_nobody_has([parse("env=prod")])
