from __future__ import annotations

from django.db import models

from console.lib.text_column import TextColumn
from rollouts.models.rollback import Rollback
from rollouts.models.rollout import Rollout


class Event(models.Model):
    """One immutable line of a timeline: who did what, from which state to which, why, on what.

    Belongs to a rollout, or to a rollback by selector.
    """

    rollout = models.ForeignKey(Rollout, models.CASCADE, null=True, related_name="events")
    rollback = models.ForeignKey(Rollback, models.CASCADE, null=True, related_name="events")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=8)
    actor_name = models.CharField(max_length=150)
    act = models.CharField(max_length=64)
    phase = models.CharField(max_length=100, blank=True)
    state_from = models.CharField(max_length=20, blank=True)
    state_to = models.CharField(max_length=20, blank=True)
    reason = TextColumn(blank=True)
    inputs = models.JSONField(default=dict)

    class Meta:
        ordering = ["seq"]
        constraints = [
            models.UniqueConstraint(fields=["rollout", "seq"], name="one_event_per_seq"),
            models.UniqueConstraint(fields=["rollback", "seq"], name="one_rollback_event_per_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.actor_name} {self.act}"
