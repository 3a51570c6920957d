"""What is kept of the fleet every two minutes: who is in which status, who is late, for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import sampling
from agents.models import Agent, AgentStatus, FleetSample, GatewayLease
from agents.models.status import LATE_AFTER, is_late, late_q
from tests.make.agents import make_fleet

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 10, 41, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def fleet() -> list[Agent]:
    """Four agents that are well and were just heard of."""
    agents = make_fleet(4)
    AgentStatus.objects.update(last_seen_at=NOW)
    GatewayLease.objects.update(renewed_at=NOW)
    return agents


def change(agent: Agent, **fields: object) -> None:
    AgentStatus.objects.filter(agent=agent).update(**fields)


def newest() -> FleetSample:
    return FleetSample.objects.latest("at")


def test_agents_are_counted_by_their_status(fleet: list[Agent]) -> None:
    change(fleet[0], healthy=False)
    change(fleet[1], connected=False)
    assert sampling.sample(NOW)
    found = newest()
    assert found.counts == {"healthy": 2, "unhealthy": 1, "offline": 1}
    assert (found.total, found.offline, found.late) == (4, 1, 0)


def test_the_retired_are_not_counted(fleet: list[Agent]) -> None:
    Agent.objects.filter(pk=fleet[0].pk).update(retired_at=NOW)
    sampling.sample(NOW)
    assert newest().total == 3


def test_who_was_not_heard_of_for_too_long_is_late(fleet: list[Agent]) -> None:
    change(fleet[0], last_seen_at=NOW - LATE_AFTER - SECOND)
    change(fleet[1], last_seen_at=NOW - LATE_AFTER)
    sampling.sample(NOW)
    assert newest().late == 1


def test_who_is_offline_is_not_late_as_well(fleet: list[Agent]) -> None:
    """Rows of a gateway that died say connected until somebody ends its sessions."""
    change(fleet[0], last_seen_at=NOW - LATE_AFTER - SECOND)
    GatewayLease.objects.update(renewed_at=NOW - timedelta(minutes=1))
    sampling.sample(NOW)
    assert (newest().offline, newest().late) == (4, 0)


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("silent", [None, LATE_AFTER, LATE_AFTER + SECOND])
def test_the_condition_says_what_one_agent_is_asked(
    fleet: list[Agent], connected: bool, silent: timedelta | None
) -> None:
    seen = None if silent is None else NOW - silent
    change(fleet[0], connected=connected, last_seen_at=seen)
    found = Agent.objects.filter(late_q(NOW), pk=fleet[0].pk).exists()
    assert found == is_late(connected, seen, NOW)


def test_one_sample_stands_for_two_minutes(fleet: list[Agent]) -> None:
    assert sampling.sample(NOW)
    assert not sampling.sample(NOW + 30 * SECOND)
    assert sampling.sample(NOW + sampling.EVERY)
    times = list(FleetSample.objects.order_by("at").values_list("at", flat=True))
    assert times == [NOW.replace(minute=40, second=0), NOW.replace(minute=42, second=0)]


def test_an_empty_fleet_is_a_sample_too() -> None:
    assert sampling.sample(NOW)
    assert (newest().total, newest().counts) == (0, {})


def test_what_is_older_than_eight_days_is_forgotten() -> None:
    for age in (sampling.KEPT - SECOND, sampling.KEPT + SECOND):
        FleetSample.objects.create(at=NOW - age, total=1, offline=0)
    sampling.sample(NOW)
    assert FleetSample.objects.filter(total=1).count() == 1


def test_a_sample_costs_the_same_however_many_agents(fleet: list[Agent]) -> None:
    with CaptureQueriesContext(connection) as few:
        sampling.sample(NOW)
    make_fleet(40)
    with CaptureQueriesContext(connection) as many:
        sampling.sample(NOW + sampling.EVERY)
    assert len(many) == len(few)


def test_the_sample_of_an_hour_ago_is_found_or_none_is() -> None:
    rows = [FleetSample(at=NOW - timedelta(minutes=age), total=age, offline=0) for age in (70, 63)]
    rows.append(FleetSample(at=NOW - timedelta(minutes=58), total=58, offline=0))
    FleetSample.objects.bulk_create(rows)
    kept = sampling.since(NOW - timedelta(days=1))
    assert [one.total for one in kept] == [70, 63, 58]
    found = sampling.about(kept, NOW - timedelta(hours=1))
    assert found is not None
    assert found.total == 63
    assert sampling.about(kept, NOW - timedelta(hours=2)) is None
    assert sampling.about(kept[:1], NOW) is None
