from __future__ import annotations

from django.db import models

from rollouts.models.rollout import Rollout


class RolloutMoment(models.Model):
    """What a rollout said of itself in one second: the why line and the counts of its phases, which
    are overwritten at each look and stand in no event. Written by `rollouts.sql.moments`, when it says
    something else than the moment before; read to show a rollout as it was.

    `counts` are those of the phases by index; `second` is the time since 1970 in whole seconds.
    """

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="moments", db_index=False)
    second = models.BigIntegerField()
    at = models.DateTimeField()
    why = models.JSONField()
    counts = models.JSONField()

    class Meta:
        ordering = ["second"]
        constraints = [
            models.UniqueConstraint(fields=["rollout", "second"], name="one_moment_per_second")
        ]
        indexes = [models.Index(fields=["at"], name="moment_by_time")]

    def __str__(self) -> str:
        return f"rollout {self.rollout_id} at {self.at:%H:%M:%S}"
