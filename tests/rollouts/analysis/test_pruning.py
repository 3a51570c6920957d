from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agents.models import Series
from console.lib import batches
from rollouts.analysis import pruning
from rollouts.analysis.pruning import prune_measurements, prune_unwatched_series
from rollouts.models import Measurement, Target
from tests.make.agents import make_collector
from tests.make.times import NOW
from tests.rollouts.analysis.test_past import finished
from tests.rollouts.fleet import Fleet

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=100)


def test_readings_of_rollouts_long_over_are_forgotten() -> None:
    finished()
    assert prune_measurements(LATER) == 10
    assert not Measurement.objects.exists()


def test_readings_are_kept_for_as_long_as_is_set(settings: Any) -> None:
    settings.MEASUREMENTS_KEEP_DAYS = 365
    finished()
    assert prune_measurements(LATER) == 0


def test_a_rollout_that_still_runs_keeps_its_readings() -> None:
    finished(state="running")
    assert prune_measurements(LATER) == 0


def test_more_than_one_batch_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 4)
    finished()
    assert prune_measurements(LATER) == 10


def test_one_run_is_bounded_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 3)
    monkeypatch.setattr(batches, "MOST", 2)
    finished()
    assert (prune_measurements(LATER), prune_measurements(LATER)) == (6, 4)


def test_agents_that_no_rollout_watches_keep_a_baseline_of_own_metrics(settings: Any) -> None:
    fleet = Fleet(4)
    fleet.start(selector="env=prod")
    watched = set(Target.objects.filter(active=True).values_list("agent_id", flat=True))
    loose = make_collector()
    for agent in (*fleet.agents, loose):
        for hours in (1, 4):
            at = fleet.now - timedelta(hours=hours)
            Series.objects.create(agent=agent, at=at, measured_at=at)
    assert prune_unwatched_series(fleet.now) == 5 - len(watched)
    left = Series.objects.values_list("agent_id", flat=True)
    assert sorted(left) == sorted([loose.pk, *(a.pk for a in fleet.agents), *watched])
