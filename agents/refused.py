"""Those whom gateways did not let in: bounded by their writer, forgotten after a month."""

from __future__ import annotations

from datetime import datetime, timedelta

from agents.models import RefusedAgent

KEPT = timedelta(days=30)
STILL = timedelta(hours=1)


def forget(now: datetime) -> int:
    """Delete what was not refused any more for 30 days. Returns how many rows."""
    return RefusedAgent.objects.filter(last_at__lt=now - KEPT).delete()[0]


def still_refused(now: datetime) -> int:
    """Count who was refused within the last hour: something that waits for a person."""
    return RefusedAgent.objects.filter(last_at__gte=now - STILL).count()
