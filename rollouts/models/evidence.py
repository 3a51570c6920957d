from __future__ import annotations

from django.conf import settings
from django.db import models

from console.lib.text_column import TextColumn
from rollouts.models.querysets import ApprovalQuerySet
from rollouts.models.rollout import Phase, Rollout


class Measurement(models.Model):
    """One reading of one criterion, threshold or trigger at one time, with its inputs.

    `gate` names the thing read ("criterion:failure_rate", "threshold:cpu_increase",
    "trigger:export_failures"); `outcome` is value | no_data | stale | error.
    """

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="measurements")
    phase = models.ForeignKey(Phase, models.CASCADE, null=True, related_name="measurements")
    gate = models.CharField(max_length=120)
    metric = models.CharField(max_length=100)
    source = models.CharField(max_length=20)
    outcome = models.CharField(max_length=8)
    value = models.FloatField(null=True)
    agents = models.PositiveIntegerField(default=0)
    samples = models.PositiveIntegerField(default=0)
    breached = models.BooleanField(null=True)
    level = models.CharField(max_length=10, blank=True)
    inputs = models.JSONField(default=dict)
    note = TextColumn(blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["rollout", "gate", "-at"], name="reading_of_gate"),
            models.Index(fields=["at"], name="reading_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.gate} of rollout {self.rollout_id}: {self.value}"


class Waiver(models.Model):
    """A person's "count as passed" for one metric in one phase (spec section 4)."""

    phase = models.ForeignKey(Phase, models.CASCADE, related_name="waivers")
    gate = models.CharField(max_length=120)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.TextField()
    reading = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["phase", "gate"], name="one_waiver_per_gate")
        ]

    def __str__(self) -> str:
        return f"{self.gate} waived in phase {self.phase_id}"


class Approval(models.Model):
    """One question to people, whether a manual phase may start, and its answer.

    Bound to config hash + plan + evidence (`digest`); lapses when any of them changes.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        APPROVED = "approved"
        REJECTED = "rejected"
        LAPSED = "lapsed"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"

    phase = models.ForeignKey(Phase, models.CASCADE, related_name="approvals")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    evidence = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    reason = TextColumn(blank=True)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["phase"], condition=models.Q(state="waiting"), name="one_waiting_approval"
            )
        ]

    def __str__(self) -> str:
        return f"approval of phase {self.phase_id}: {self.state}"
