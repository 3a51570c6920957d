"""The frame: the word production where it is so, and each page under its area."""

from __future__ import annotations

import pytest
from django.test import Client

from agents.models import Agent
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db
WORD = '<span class="muted">env</span> production'


@pytest.fixture
def client() -> Client:
    return sign_in("vera", "viewer")


@pytest.mark.parametrize(
    ("env", "is_production"),
    [("prod", True), ("production", True), ("live", True), ("staging", False), ("", False)],
)
def test_the_word_stands_where_agents_of_production_are(
    client: Client, env: str, is_production: bool
) -> None:
    make_fleet(2, env=env)
    page = markup(client.get("/audit/"))
    assert (WORD in page) == is_production
    assert ('<header class="top prod">' in page) == is_production


def test_retired_agents_make_no_production(client: Client) -> None:
    make_fleet(1)
    Agent.objects.update(retired_at="2026-11-24T12:00Z")
    assert WORD not in markup(client.get("/audit/"))


@pytest.mark.parametrize(
    ("path", "area"),
    [
        ("/", "Overview"),
        ("/needs/", "Overview"),
        ("/rollbacks/", "Rollouts"),
        ("/plans/", "Rollouts"),
        ("/settings/quarantine/", "Safety"),
        ("/settings/freeze/", "Safety"),
        ("/settings/guards/", "Safety"),
        ("/settings/profile/", "Settings"),
    ],
)
def test_a_page_stands_under_its_area(client: Client, path: str, area: str) -> None:
    make_fleet(1)
    nav = client.get(path).context["frame"].nav
    assert [str(item.label) for item in nav if item.is_current] == [area]
