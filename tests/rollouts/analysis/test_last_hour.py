"""Gates on the last hour: what they would say of a version that changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from agents.models import Agent, Series
from rollouts.analysis.last_hour import WouldBe, on_last_hour
from rollouts.plans.parse import plan_from_data
from tests.make.agents import make_agent
from tests.make.times import NOW

pytestmark = pytest.mark.django_db


def send(agent: Agent, *, failed_share: float = 0.0, until: datetime = NOW) -> None:
    """Let an agent have sent its metrics each minute of an hour; a share of its spans failed."""
    for minute in range(61):
        at = until - timedelta(minutes=60 - minute)
        sent = 1000.0 * minute
        Series.objects.create(
            agent=agent,
            at=at,
            measured_at=at,
            started_at=NOW - timedelta(days=1),
            cpu_s=6.0 * minute,
            rss_bytes=1e8,
            queue_items=0.0,
            error_logs=0.0,
            received=[sent, sent, sent],
            refused=[0.0] * 3,
            sent=[sent * (1 - failed_share)] * 3,
            failed=[sent * failed_share] * 3,
        )


def plan(**more: Any) -> Any:
    phase = {
        "weight": "100%",
        "duration": "10m",
        "success_criteria": [
            {
                "metric": "cpu_increase",
                "operator": "<",
                "threshold": "10%",
            }
        ],
    }
    return plan_from_data({"phases": [phase], **more}, name="p")


def judged(agents: list[Agent], now: datetime = NOW) -> dict[str, WouldBe]:
    return {str(one.title): one for one in on_last_hour(plan(), [a.pk for a in agents], now)}


def test_a_fleet_that_stays_as_it_is_passes() -> None:
    agents = [make_agent() for _ in range(4)]
    for agent in agents:
        send(agent)
    found = judged(agents)
    assert found["CPU increase"].passes
    assert abs(found["CPU increase"].value or 0.0) < 0.05


def test_without_metrics_nothing_is_judged() -> None:
    found = judged([make_agent()])
    assert [one.passes for one in found.values()] == [None] * len(found)
    assert all(str(one.note) for one in found.values())


def test_of_nobody_nothing_is_asked() -> None:
    assert not judged([])


def test_it_costs_two_queries(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    agents = [make_agent() for _ in range(6)]
    for agent in agents:
        send(agent)
    with django_assert_max_num_queries(2):
        judged(agents)
