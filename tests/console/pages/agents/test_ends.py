"""Retired, replaced and refused agents on the pages."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent, AgentStatus, AgentToken, RefusedAgent, RetirementRule
from tests.make.agents import make_fleet
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db
REASON = "The host was scrapped."


def client(role: str = "operator") -> Client:
    return sign_in(secrets.token_hex(4), role)


def text(url: str, role: str = "viewer", **headers: str) -> str:
    answer = client(role).get(url, headers=headers)
    assert answer.status_code == 200, answer.content[:300]
    return answer.getvalue().decode()


def away(*agents: Agent) -> None:
    AgentStatus.objects.filter(agent__in=agents).update(connected=False)


def post(url: str, role: str = "operator", **typed: str) -> Any:
    return client(role).post(url, typed)


def test_one_is_retired_from_its_page_and_can_be_looked_up() -> None:
    agent, other = make_fleet(2)
    away(agent)
    url = f"/agents/{agent.instance_uid}/"
    assert post(f"{url}retire/", reason=REASON).status_code == 303
    page = text(url)
    assert REASON in page
    assert "back by itself" in page
    listed = text("/agents/")
    assert str(agent.instance_uid) not in listed
    assert str(other.instance_uid) in listed
    assert str(agent.instance_uid) in text("/agents/?status=retired")
    found = client("viewer").get(f"/search/?q={agent.instance_uid}")
    assert url in found.content.decode()
    facets = text("/agents/", **{"HX-Request": "true", "HX-Target": "agent-facets"})
    assert "Retired" not in facets


def test_the_connected_keep_a_button_that_says_why_not() -> None:
    [agent] = make_fleet(1)
    page = text(f"/agents/{agent.instance_uid}/", "operator")
    assert "It is connected." in page
    answer = post(f"/agents/{agent.instance_uid}/retire/", reason=REASON)
    assert answer.status_code == 409
    assert "back at once" in answer.content.decode()


def test_a_selection_is_counted_first() -> None:
    agents = make_fleet(5)
    away(*agents[:3])
    page = post("/agents/retire/", q="env=prod", act="count").content.decode()
    assert "3 of the 5 that match would be retired; 2 are connected and stay." in page
    assert 'name="count" value="3"' in page
    words = {"q": "env=prod", "act": "retire", "reason": REASON}
    stale = post("/agents/retire/", **words, count="2")
    assert stale.status_code == 409
    assert "3 agents would be retired now, you saw 2" in stale.content.decode()
    assert post("/agents/retire/", **words).status_code == 422
    assert post("/agents/retire/", "viewer", **words, count="3").status_code == 403
    assert not Agent.objects.filter(retired_at__isnull=False).exists()
    assert post("/agents/retire/", **words, count="3").status_code == 303
    assert Agent.objects.living().count() == 2


@pytest.mark.parametrize("typed", [{"q": "env="}, {"q": "env=prod", "not_seen_for": "3"}])
def test_what_cannot_be_read_is_said(typed: dict[str, str]) -> None:
    answer = post("/agents/retire/", act="count", **typed)
    assert answer.status_code == 422
    assert "error-summary" in answer.content.decode()


def test_the_successor_takes_over_from_its_page() -> None:
    old, new = make_fleet(2)
    away(old)
    Agent.objects.filter(pk=old.pk).update(operator_labels={"team": "edge"})
    Agent.objects.filter(pk=new.pk).update(replaces=old)
    assert "Replaced by" in text(f"/agents/{old.instance_uid}/")
    page = text(f"/agents/{new.instance_uid}/")
    assert "Take over its labels and history" in page
    done = post(f"/agents/{new.instance_uid}/take-over/", reason="re-imaged")
    assert done.status_code == 303
    assert "team=edge" in text(f"/agents/{new.instance_uid}/")
    assert "and took over its labels and history." in text(f"/agents/{new.instance_uid}/")


def test_rules_are_written_on_a_page() -> None:
    url = "/settings/retirement/"
    assert "30 d" in text(url)
    given = {"name": "pods", "selector": "role=pod", "not_seen_for": "6h", "reason": "scaled"}
    assert post(url, "operator", **given).status_code == 403
    assert post(url, "admin", **{**given, "not_seen_for": "6"}).status_code == 422
    assert post(url, "admin", **given, take_over="1").status_code == 303
    assert RetirementRule.objects.get(name="pods").take_over
    assert "takes over by itself" in text(url)
    assert post(url, "admin", act="delete", name="pods", reason="r").status_code == 303
    assert not RetirementRule.objects.filter(name="pods").exists()


def refuse(**fields: Any) -> RefusedAgent:
    now = timezone.now()
    words = {"reason": "credential_invalid", "times": 7, "first_at": now, "last_at": now}
    return RefusedAgent.objects.create(address="192.0.2.7", **{**words, **fields})


def test_the_refused_are_listed_with_reason_and_name_and_escaped() -> None:
    token = AgentToken.objects.create(
        name="edge pool", digest="d", shown_prefix="tg_a_x", created_at=timezone.now()
    )
    refuse(claimed_id="<script>alert(1)</script>", credential=f"pool:{token.pk}")
    page = text("/agents/refused/")
    assert "192.0.2.7" in page
    assert "unknown or was revoked" in page
    assert "edge pool" in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_overview_says_that_somebody_is_refused() -> None:
    assert "refused at the door" not in text("/")
    refuse()
    assert "/agents/refused/" in text("/")  # also before the first agent is in
    make_fleet(1)
    refuse(reason="malformed", last_at=timezone.now() - timedelta(hours=2))
    assert "1 agent is refused at the door" in " ".join(text("/").split())
    part = text("/", **{"HX-Request": "true", "HX-Target": "needs"})
    assert "/agents/refused/" in part
