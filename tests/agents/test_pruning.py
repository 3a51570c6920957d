from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agents import pruning
from agents.models import Series
from agents.pruning import prune_series
from tests.make.agents import make_agent_with

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def make_rows(*hours_ago: float) -> None:
    agent = make_agent_with()
    for hours in hours_ago:
        at = NOW - timedelta(hours=hours)
        Series.objects.create(agent=agent, at=at, measured_at=at)


def test_own_metrics_that_no_gate_looks_at_are_forgotten() -> None:
    make_rows(1, 71, 73, 200)
    assert prune_series(NOW) == 2
    assert Series.objects.count() == 2


def test_more_than_one_batch_of_own_metrics_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    make_rows(100, 101, 102, 103, 104)
    assert prune_series(NOW) == 5
