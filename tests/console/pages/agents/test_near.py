from __future__ import annotations

import pytest
from django.test import Client

from tests.make.agents import make_collector
from tests.make.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    make_collector({"env": "prod", "a.b__c": "x'y"})
    signed_in = Client()
    signed_in.force_login(make_user("vera", "viewer"))
    return signed_in


@pytest.mark.parametrize(
    ("asked", "meant"), [("env=prd", "?q=env%3Dprod"), ("a.b__d=x", "?q=a.b__c%3D")]
)
def test_a_list_without_agents_offers_the_nearest_selector(
    client: Client, asked: str, meant: str
) -> None:
    assert f'href="/agents/{meant}' in client.get("/agents/", {"q": asked}).content.decode()


@pytest.mark.parametrize("asked", ["zone=prd", "env=prod"])
def test_nothing_is_offered_where_nothing_is_near_or_missing(client: Client, asked: str) -> None:
    assert "Did you mean" not in client.get("/agents/", {"q": asked}).content.decode()


def test_a_label_that_nobody_has_is_said_whoever_matches(client: Client) -> None:
    text = client.get("/agents/", {"q": "nmae!=x"}).content.decode()
    assert "No agent has the label nmae; did you mean name?" in text
    assert "agent-table" in text
    assert "No agent has" not in client.get("/agents/", {"q": "env=prod"}).content.decode()


def test_the_name_of_an_agent_is_found_and_a_near_one_offered(client: Client) -> None:
    make_collector(name="us-east-prod-00001")
    assert "us-east-prod-00001" in client.get("/agents/", {"q": "name~us-east-*"}).content.decode()
    text = client.get("/agents/", {"q": "name=us-east-prod-0001"}).content.decode()
    assert 'href="/agents/?q=name%3Dus-east-prod-00001' in text
