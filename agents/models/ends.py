from __future__ import annotations

from django.db import models


class RetirementRule(models.Model):
    """When agents that are not seen any more are retired; run by beat.

    An agent follows the rule whose selector it matches, of several the one with the shortest time;
    a rule without a selector ("") is for those that no other rule matches. With `take_over`, an
    agent under the rule takes over labels and history of the one it replaces by itself.
    """

    name = models.CharField(max_length=100, unique=True)
    selector = models.TextField(blank=True)
    not_seen_for = models.DurationField()
    take_over = models.BooleanField(default=False)
    reason = models.TextField(blank=True)
    updated_by = models.CharField(max_length=150)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class RefusedAgent(models.Model):
    """Somebody whom gateways did not let in: one row for an address, a reason and a claimed id.

    `claimed_id` is what it called itself, as printable text and cut; `credential` the name of a
    credential that was recognised, never its secret. Bounded: see `agents.refused`.
    """

    address = models.CharField(max_length=64)
    reason = models.CharField(max_length=40)
    claimed_id = models.CharField(max_length=64, blank=True)
    credential = models.CharField(max_length=100, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    times = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address", "reason", "claimed_id"], name="one_row_per_refused"
            )
        ]
        indexes = [models.Index(fields=["-last_at", "-id"], name="refused_by_time")]

    def __str__(self) -> str:
        return f"{self.reason} from {self.address}"
