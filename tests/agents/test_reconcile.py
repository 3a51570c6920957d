from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest

from agents.models import AgentStatus, Desired, GatewayLease, News, Session
from agents.reconcile import end_dead_gateways
from tests.make.agents import make_agent_with
from tests.make.times import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=20)


def make_lease(renewed_at: datetime = NOW) -> GatewayLease:
    return GatewayLease.objects.create(
        id=uuid.uuid4(), host="h", port=1, pid=1, started_at=NOW, renewed_at=renewed_at
    )


def test_agents_of_a_gateway_that_stopped_renewing_are_disconnected() -> None:
    agent = make_agent_with(gateway=make_lease(), connected=True)
    assert end_dead_gateways(LATER) == 1
    status = AgentStatus.objects.get(agent=agent)
    assert not status.connected
    assert status.disconnected_at == NOW


def test_agents_of_a_living_gateway_stay_connected() -> None:
    agent = make_agent_with(gateway=make_lease(renewed_at=LATER), connected=True)
    assert end_dead_gateways(LATER) == 0
    assert AgentStatus.objects.get(agent=agent).connected


def test_an_agent_that_moved_to_another_gateway_stays_connected() -> None:
    make_lease()
    agent = make_agent_with(gateway=make_lease(renewed_at=LATER), connected=True)
    end_dead_gateways(LATER)
    assert AgentStatus.objects.get(agent=agent).connected


def test_sessions_of_a_dead_gateway_end_when_it_was_last_seen() -> None:
    lease = make_lease()
    agent = make_agent_with(gateway=lease, connected=True)
    Session.objects.create(
        agent=agent, gateway_id=lease.pk, connected_at=NOW - timedelta(hours=1), transport="ws"
    )
    end_dead_gateways(LATER)
    assert Session.objects.get().disconnected_at == NOW


def test_those_who_asked_get_news_of_the_loss() -> None:
    agent = make_agent_with(gateway=make_lease(), connected=True)
    Desired.objects.create(agent=agent, config_hash="b" * 64, change=1, topic="rollout:7", at=NOW)
    end_dead_gateways(LATER)
    assert News.objects.get().topic == "rollout:7"


def test_a_second_run_changes_nothing() -> None:
    make_agent_with(gateway=make_lease(), connected=True)
    end_dead_gateways(LATER)
    assert end_dead_gateways(LATER) == 0
