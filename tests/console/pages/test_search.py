"""Search finds things, pages and acts, says how each stands, and never jumps."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import AgentStatus
from console.pages.search.places import PLACES
from tests.console.pages.markup import markup
from tests.make.agents import keep, make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_rollout

pytestmark = pytest.mark.django_db


def hits(client: Client, wanted: str) -> list[tuple[str, str]]:
    answer = client.get("/search/", {"q": wanted})
    assert answer.status_code == 200
    return [(hit.kind, hit.text) for hit in answer.context["hits"]]


@pytest.fixture
def operator() -> Client:
    return sign_in("oona", "operator")


def test_one_hit_is_shown_and_not_jumped_to(operator: Client) -> None:
    [agent] = make_fleet(1)
    AgentStatus.objects.filter(agent=agent).update(healthy=False)
    page = markup(operator.get("/search/", {"q": agent.name}))
    assert f'href="/agents/{agent.instance_uid}/"' in page
    assert "Unhealthy" in page


def test_an_agent_is_found_by_id_and_label(operator: Client) -> None:
    agent, _other = make_fleet(2, tier="gold")
    assert hits(operator, str(agent.instance_uid)) == [("agent", agent.name)]
    assert len(hits(operator, "tier=gold")) == 2


def test_a_rollout_says_how_it_stands(operator: Client) -> None:
    rollout = make_rollout(make_config("edge", 2)[1], state="paused")
    page = markup(operator.get("/search/", {"q": rollout.number}))
    assert f"{rollout.number} Raise batch size" in page
    assert "Paused" in page


def test_a_config_says_what_is_known_against_it(operator: Client) -> None:
    version = make_config("edge", 2)[1]
    keep(version.config_hash, None, "rolled_back")
    page = markup(operator.get("/search/", {"q": "edge"}))
    assert "newest v2" in page
    assert "Quarantined" in page


def test_a_version_is_found_by_its_number(operator: Client) -> None:
    make_config("edge", 3)
    assert hits(operator, "edge v2") == [("version", "edge v2")]
    assert 'href="/configs/edge/v/2/"' in markup(operator.get("/search/", {"q": "edge@v2"}))
    assert hits(operator, "edge v9") == []


def test_an_act_on_a_rollout_opens_its_dialog(operator: Client) -> None:
    rollout = make_rollout(make_config("edge", 2)[1])
    found = operator.get("/search/", {"q": f"pause {rollout.number}"}).context["hits"]
    assert [hit.url for hit in found] == [f"/rollouts/{rollout.pk}/pause/"]
    assert [hit.url for hit in operator.get("/search/", {"q": "pause"}).context["hits"]] == [
        f"/rollouts/{rollout.pk}/pause/"
    ]


def test_an_act_that_somebody_may_not_do_says_so(operator: Client) -> None:
    rollout = make_rollout(make_config("edge", 2)[1])
    [hit] = sign_in("vera", "viewer").get("/search/", {"q": "pause"}).context["hits"]
    assert hit.url == f"/rollouts/{rollout.pk}/"
    assert "Needs the role" in hit.note


@pytest.mark.parametrize(
    ("wanted", "route"),
    [
        ("quarantine", "settings:quarantine"),
        ("freeze", "settings:freeze"),
        ("dark theme", "settings:profile"),
        ("audit", "audit:list"),
        ("openapi", "api-docs"),
    ],
)
def test_pages_and_settings_are_found(operator: Client, wanted: str, route: str) -> None:
    found = operator.get("/search/", {"q": wanted}).context["hits"]
    assert reverse(route) in [hit.url for hit in found]


def test_every_place_is_there(operator: Client) -> None:
    for _label, _icon, route, _meant in PLACES:
        assert operator.get(reverse(route)).status_code in {200, 403}, route


@pytest.mark.parametrize(
    "wanted", ["", " ", "\x00", "%", "R-99999999999", "v", "@", "a" * 300, "=="]
)
def test_anything_may_be_asked(operator: Client, wanted: str) -> None:
    assert operator.get("/search/", {"q": wanted}).status_code == 200


def test_nothing_found_says_what_can_be_asked(operator: Client) -> None:
    page = markup(operator.get("/search/", {"q": "zzz"}))
    assert "Nothing matches" in page
    assert "pause R-0003" in page
