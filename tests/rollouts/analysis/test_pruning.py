from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rollouts.analysis import pruning
from rollouts.analysis.pruning import prune_measurements
from rollouts.models import Measurement
from tests.rollouts.analysis.rows import NOW
from tests.rollouts.analysis.test_past import finished

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
    monkeypatch.setattr(pruning, "MOST_BATCHES", 2)
    finished()
    assert (prune_measurements(LATER), prune_measurements(LATER)) == (6, 4)
