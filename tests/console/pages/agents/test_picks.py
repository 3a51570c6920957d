"""Agents picked in the list are taken along as a selector that means just these."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from agents.models import Agent
from agents.selectors.grammar import parse
from rollouts.selectors import selector_q
from tests.make.agents import make_collector, make_fleet
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db


def go(**params: Any) -> tuple[str, str]:
    """Return (path, selector) of where a pick leads."""
    answer = sign_in("vera", "viewer").get("/agents/picked/", params)
    assert answer.status_code == 302
    url = urlsplit(answer["Location"])
    return url.path, parse_qs(url.query).get("q", [""])[0]


def meant(selector: str) -> set[str]:
    found = Agent.objects.living().filter(selector_q(parse(selector)))
    return set(found.values_list("name", flat=True))


def test_a_rollout_is_started_for_the_agents_that_are_ticked() -> None:
    agents = [make_collector({"env": "prod"}, name=f"a{n}") for n in range(3)]
    path, selector = go(to="rollout", id=[str(a.instance_uid) for a in agents[:2]], q="env=prod")
    assert path == "/rollouts/new/"
    assert meant(selector) == {"a0", "a1"}


def test_all_that_match_are_taken_with_their_status() -> None:
    make_fleet(1)  # of prod, and here
    make_collector({"env": "prod"}, name="gone", connected=False)
    make_collector({"env": "test"}, name="other", connected=False)
    path, selector = go(to="retire", all="1", q="env=prod", status="offline")
    assert path == "/agents/retire/"
    assert meant(selector) == {"gone"}


@pytest.mark.parametrize(
    "params",
    [
        {"to": "rollout", "q": "env=prod"},
        {"to": "rollout", "all": "1", "q": "env=prod or env=test", "status": "offline"},
        {"all": "1", "q": "env=prod"},
    ],
)
def test_what_no_selector_means_goes_nowhere(params: dict[str, str]) -> None:
    path, selector = go(**params)
    assert (path, selector) == ("/agents/", params["q"])
