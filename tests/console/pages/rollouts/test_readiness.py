"""The readiness page: totals, the exceptions, and no word of "ready" for who refused this version."""

from __future__ import annotations

import pytest
from django.test import Client

from agents.models import Agent, AgentStatus
from rollouts.models import Rollout
from tests.console.pages.markup import markup
from tests.make.agents import keep, make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_rollout

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return sign_in("vera", "viewer")


def rollout_of_six() -> Rollout:
    """Six targets: the first is offline, the second and third refused this version, one of them is
    offline too; the fourth refused another one."""
    old, new = make_config("edge", 2)
    agents = make_fleet(6, running=old.config_hash)
    Agent.objects.update(capabilities=0x1803)  # they report their config's status
    rollout = make_rollout(new, agents=agents)
    away = AgentStatus.objects.filter(agent__in=[agents[0], agents[2]])
    away.update(connected=False)
    for agent in agents[1:3]:
        keep(new.config_hash, agent, "failed", "no such exporter")
    keep("d" * 64, agents[3], "failed")
    return rollout


def listed(client: Client, rollout: Rollout, query: str = "") -> list[str]:
    page = markup(client.get(f"/rollouts/{rollout.pk}/readiness/{query}"))
    return [name for name in (f"gw-{n:04d}" for n in range(6)) if f">{name}</a>" in page]


def test_the_totals_are_said_first(client: Client) -> None:
    page = markup(client.get(f"/rollouts/{rollout_of_six().pk}/readiness/"))
    assert "6 targets" in page
    assert "<b>3 ready</b>" in page
    assert "2 refused this version" in page


def test_only_the_exceptions_are_listed(client: Client) -> None:
    rollout = rollout_of_six()
    assert listed(client, rollout) == ["gw-0000", "gw-0001", "gw-0002"]
    assert len(listed(client, rollout, "?all=1")) == 6
    assert listed(client, rollout, "?check=refused") == ["gw-0001", "gw-0002"]
    assert listed(client, rollout, "?check=offline") == ["gw-0000", "gw-0002"]
    assert listed(client, rollout, "?check=nonsense") == []


def test_ready_is_not_said_of_who_refused_this_version(client: Client) -> None:
    rollout = rollout_of_six()
    page = markup(client.get(f"/rollouts/{rollout.pk}/readiness/?all=1"))
    assert page.count('<span class="muted">ready</span>') == 3
    assert page.count(">refused this version</a>") == 2


def test_nobody_refused(client: Client) -> None:
    rollout = make_rollout(make_config("edge", 2)[1], agents=make_fleet(3))
    assert "refused this version" not in markup(client.get(f"/rollouts/{rollout.pk}/readiness/"))
