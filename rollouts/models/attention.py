from __future__ import annotations

from django.conf import settings
from django.db import models


class Acknowledgement(models.Model):
    """Somebody has seen one thing that needed a person, as it was then.

    `kind` and `subject` name the thing (`rollouts.attention.sources`), `facts` what was so when it was
    acknowledged: with other facts it is new again. Forgotten when the thing is over.
    """

    kind = models.CharField(max_length=24)
    subject = models.CharField(max_length=80)
    facts = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150)
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], name="one_acknowledgement_per_thing"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} seen by {self.by_name}"
