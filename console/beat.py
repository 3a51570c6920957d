"""Celery's beat, which a clock that is set back does not stop.

Beat remembers when each task ran last, also in its file, and would wait until the clock comes past
that time again: an hour without a tick after a step of an hour. Celery 5.7 has no setting for it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from celery.beat import PersistentScheduler

CLOCK_SKEW = timedelta(seconds=1)


class SteadyScheduler(PersistentScheduler):  # type: ignore[misc]  # celery has no types
    """Counts intervals anew from now when a task seems to have run in the future."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due. Returns the seconds until the next task is."""
        for entry in self.schedule.values():
            now: datetime = entry.default_now()
            if entry.last_run_at > now + CLOCK_SKEW:
                entry.last_run_at = now
                self._heap = None  # it is sorted by the times of the old clock
        seconds: float = super().tick(*args, **kwargs)
        return seconds
