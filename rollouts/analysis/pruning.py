"""Forgets measurements of rollouts that are long over, and the own metrics of agents that no rollout
watches, but for a baseline. Bounded per run; twice is harmless.

What decided stays: events, approvals and rollbacks keep the readings they were made from.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from agents.pruning import delete_older
from console.lib.batches import in_batches
from rollouts.engine.states import FINAL_STATES
from rollouts.models import Measurement, RolloutMoment
from rollouts.sql.series import DELETE_UNWATCHED

BATCH = 10_000


def prune_measurements(now: datetime) -> int:
    """Delete readings older than MEASUREMENTS_KEEP_DAYS of rollouts that are over; a rollout that
    still runs keeps all of its own, however old. Returns how many."""
    before = now - timedelta(days=settings.MEASUREMENTS_KEEP_DAYS)
    old = Measurement.objects.filter(at__lt=before, rollout__state__in=FINAL_STATES)

    def delete(limit: int) -> int:
        ids = list(old.order_by("at").values_list("pk", flat=True)[:limit])
        return Measurement.objects.filter(pk__in=ids).delete()[0]

    return in_batches(delete, BATCH)


def prune_moments(now: datetime) -> int:
    """Delete what rollouts that are over said of themselves so long ago. Returns how many."""
    before = now - timedelta(days=settings.MEASUREMENTS_KEEP_DAYS)
    old = RolloutMoment.objects.filter(at__lt=before, rollout__state__in=FINAL_STATES)

    def delete(limit: int) -> int:
        ids = list(old.order_by("at").values_list("pk", flat=True)[:limit])
        return RolloutMoment.objects.filter(pk__in=ids).delete()[0]

    return in_batches(delete, BATCH)


def prune_unwatched_series(now: datetime) -> int:
    """Delete own metrics older than OWN_METRICS_BASELINE_H of agents that are in no active rollout.
    What active rollouts watch is kept for OWN_METRICS_KEEP_H (`agents.pruning`). Returns how many."""
    before = now - timedelta(hours=settings.OWN_METRICS_BASELINE_H)
    return delete_older(DELETE_UNWATCHED, before, BATCH)
