from __future__ import annotations

from django.db import models
from django.db.models import Q

from console.lib.text_column import TextColumn


class RotationPause(models.Model):
    """A time in which no renewals are offered: from too many failures, or a person, until a person
    resumes. Outcomes from before the end of one count no more."""

    began_at = models.DateTimeField()
    began_by = models.CharField(max_length=150)
    why = TextColumn(blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(ended_at=None), name="one_rotation_pause"
            )
        ]

    def __str__(self) -> str:
        return f"rotation pause from {self.began_at:%Y-%m-%d %H:%M}"
