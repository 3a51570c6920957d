from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from agents.models import Agent, AgentStatus, ConfigStatus, Delivery, Desired, GatewayLease
from agents.models import Quarantine as QuarantineRow
from agents.status_words import STATUS_WORDS

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD, NEW = "a" * 64, "b" * 64

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway() -> GatewayLease:
    return GatewayLease.objects.create(
        id=uuid.uuid4(), host="h", port=1, pid=1, started_at=NOW, renewed_at=NOW
    )


def agent_of(gateway: GatewayLease | None, **status: object) -> Agent:
    agent = Agent.objects.create(instance_uid=uuid.uuid4(), first_seen_at=NOW)
    fields = {"healthy": True, "connected": gateway is not None} | status
    AgentStatus.objects.create(agent=agent, gateway=gateway, **fields)
    return agent


def want(agent: Agent, config_hash: str) -> None:
    Desired.objects.create(agent=agent, config_hash=config_hash, change=1, at=NOW)


def word_of(agent: Agent, now: datetime = NOW) -> str:
    found = Agent.objects.with_status_word(now).get(pk=agent.pk)
    assert STATUS_WORDS[found.status_rank] == found.status_word
    return str(found.status_word)


def test_a_connected_agent_that_says_it_is_well_is_healthy(gateway: GatewayLease) -> None:
    assert word_of(agent_of(gateway)) == "healthy"


def test_an_agent_that_never_reported_health_is_unknown(gateway: GatewayLease) -> None:
    assert word_of(agent_of(gateway, healthy=None)) == "unknown"


def test_an_agent_without_any_status_is_offline() -> None:
    agent = Agent.objects.create(instance_uid=uuid.uuid4(), first_seen_at=NOW)
    assert word_of(agent) == "offline"


def test_a_closed_socket_is_offline_whatever_was_said_before(gateway: GatewayLease) -> None:
    agent = agent_of(gateway, connected=False, healthy=False)
    assert word_of(agent) == "offline"


def test_agents_of_a_dead_gateway_are_offline(gateway: GatewayLease) -> None:
    agent = agent_of(gateway)
    late = NOW + GatewayLease.LIFE + timedelta(seconds=1)
    assert word_of(agent, late) == "offline"
    assert not Agent.objects.connected(late).exists()
    assert Agent.objects.connected(NOW).get() == agent


def test_a_refused_config_comes_before_bad_health(gateway: GatewayLease) -> None:
    failed = {"config_hash": NEW, "config_status": ConfigStatus.FAILED, "healthy": False}
    agent = agent_of(gateway, **failed)
    want(agent, NEW)
    assert word_of(agent) == "config_failed"


def test_an_old_refusal_is_forgotten_once_something_else_is_wanted(gateway: GatewayLease) -> None:
    agent = agent_of(gateway, config_hash=NEW, config_status=ConfigStatus.FAILED, running_hash=OLD)
    want(agent, OLD)
    assert word_of(agent) == "healthy"


@pytest.mark.parametrize(
    ("sent_at", "word"), [(None, "queued"), (NOW, "applying")], ids=["queued", "sent"]
)
def test_an_open_delivery_is_queued_until_it_is_sent(
    gateway: GatewayLease, sent_at: datetime | None, word: str
) -> None:
    agent = agent_of(gateway, running_hash=OLD)
    want(agent, NEW)
    Delivery.objects.create(
        agent=agent, config_hash=NEW, cause="x", offered_at=NOW, sent_at=sent_at
    )
    assert word_of(agent) == word


def test_an_agent_that_runs_something_else_has_drifted(gateway: GatewayLease) -> None:
    agent = agent_of(gateway, running_hash=OLD)
    want(agent, NEW)
    assert word_of(agent) == "drifted"


def test_only_a_quarantine_by_hand_is_a_status(gateway: GatewayLease) -> None:
    by_hand, by_failure = agent_of(gateway), agent_of(gateway)
    for agent, outcome in ((by_hand, "by_hand"), (by_failure, "failed")):
        QuarantineRow.objects.create(
            agent=agent, config_hash=NEW, outcome=outcome, by="lin", at=NOW
        )
    assert (word_of(by_hand), word_of(by_failure)) == ("quarantined", "healthy")


def test_a_list_reads_agents_in_one_query(  # type: ignore[no-untyped-def]
    gateway: GatewayLease, django_assert_num_queries
) -> None:
    want(agent_of(gateway, running_hash=OLD), OLD)
    agent_of(gateway)
    with django_assert_num_queries(1):
        listed = list(Agent.objects.with_status_word(NOW).for_list().order_by("pk"))
        assert [agent.status.connected for agent in listed] == [True, True]
        assert listed[0].desired.config_hash == OLD
