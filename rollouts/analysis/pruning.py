"""Forgets measurements of rollouts that are long over. Bounded per run; twice is harmless.

What decided stays: events, approvals and rollbacks keep the readings they were made from.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from rollouts.engine.states import FINAL_STATES
from rollouts.models import Measurement

BATCH = 10_000
MOST_BATCHES = 10


def prune_measurements(now: datetime) -> int:
    """Delete readings older than MEASUREMENTS_KEEP_DAYS of rollouts that are over; a rollout that
    still runs keeps all of its own, however old. Returns how many."""
    before = now - timedelta(days=settings.MEASUREMENTS_KEEP_DAYS)
    old = Measurement.objects.filter(at__lt=before, rollout__state__in=FINAL_STATES)
    deleted = 0
    for _ in range(MOST_BATCHES):
        ids = list(old.order_by("at").values_list("pk", flat=True)[:BATCH])
        deleted += Measurement.objects.filter(pk__in=ids).delete()[0] if ids else 0
        if len(ids) < BATCH:
            break
    return deleted
