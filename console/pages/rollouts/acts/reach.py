"""How far the version of a rollout got: what an abort or a rollback concerns."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from rollouts.engine.states import FAILED_TARGETS
from rollouts.models import Rollout, Target


@dataclass(frozen=True, slots=True)
class ReachedCounts:
    """How far the rollout's version got."""

    total: int
    received: int
    ready: int
    failed: int

    @property
    def never(self) -> int:
        return self.total - self.received


def reach_of(rollout: Rollout) -> ReachedCounts:
    """Count how many targets were offered the version and have one to go back to; one query."""
    received = Q(offered_at__isnull=False)
    numbers = Target.objects.filter(rollout=rollout).aggregate(
        total=Count("pk"),
        received=Count("pk", filter=received),
        ready=Count("pk", filter=received & ~Q(previous_hash="")),
        failed=Count("pk", filter=Q(state__in=FAILED_TARGETS)),
    )
    return ReachedCounts(**numbers)
