from __future__ import annotations

from django.db import models


class FleetSample(models.Model):
    """How many living agents were in which status at one time; written by beat (`agents.sampling`).

    `counts` has the number of agents by status word, without zeros. `late` of those that count as
    connected were not heard of for longer than they should be (`agents.models.status.is_late`).
    """

    at = models.DateTimeField(unique=True)
    total = models.PositiveIntegerField()
    offline = models.PositiveIntegerField()
    late = models.PositiveIntegerField(default=0, db_default=0)
    counts = models.JSONField(default=dict)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.total} agents at {self.at:%H:%M}"
