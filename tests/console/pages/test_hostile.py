"""Strings from agents are shown, never run (security.md R41)."""

from __future__ import annotations

import pytest
from django.test import Client

from agents.models import AgentBody, AgentEvent, AgentStatus
from rollouts.models import Target
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_rollout

pytestmark = pytest.mark.django_db

EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7|add:7 }}{% csrf_token %}",
    "javascript:alert(1)",
    "</script><svg onload=alert(1)>",
    "\u202egnp.exe\u0000\u001b[2J",
]


@pytest.fixture
def client() -> Client:
    return sign_in("vera", "viewer", "author", "operator", "approver")


@pytest.mark.parametrize("evil", EVIL)
def test_agent_strings_are_escaped_on_every_page(client: Client, evil: str) -> None:
    clean = evil.replace("\u0000", "")
    versions = make_config("edge", 2)
    [agent] = make_fleet(1, running=versions[0].config_hash, team=clean)
    agent.name = clean
    agent.version = clean[:100]
    agent.non_identifying = {clean: clean}
    agent.save()
    AgentStatus.objects.filter(agent=agent).update(
        healthy=False,
        health_error=clean,
        health_status=clean[:64],
        address=clean[:64],
        config_error=clean,
    )
    AgentBody.objects.create(
        agent=agent,
        part="health",
        body_hash="1",
        at=agent.first_seen_at,
        body={
            "healthy": False,
            "last_error": clean,
            "components": {clean: {"healthy": False, "status": clean}},
        },
    )
    AgentEvent.objects.create(
        agent=agent, at=agent.first_seen_at, kind=clean[:40], details={clean: clean}
    )
    rollout = make_rollout(versions[1], agents=[agent] * 1)
    Target.objects.filter(rollout=rollout).update(state="failed", error=clean)
    uid = agent.instance_uid
    pages = ["/agents/", f"/agents/{uid}/", f"/agents/{uid}/health/", f"/agents/{uid}/config/"]
    pages += [
        f"/agents/{uid}/history/",
        "/",
        f"/rollouts/{rollout.pk}/",
        f"/rollouts/{rollout.pk}/agents/",
    ]
    for page in pages:
        text = client.get(page).content.decode()
        assert "<script>alert" not in text, page
        assert "<img src=x" not in text, page
        assert "<svg onload" not in text, page
        assert "\u202e" not in text, page
        assert "\u001b" not in text, page


def test_a_config_body_is_text_wherever_it_is_shown(client: Client) -> None:
    [version] = make_config("edge", 1)
    version.body_ref.body = b"a: '<script>alert(1)</script>'\n"
    version.body_ref.save()
    text = client.get("/configs/edge/v/1/").content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
