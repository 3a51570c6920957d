from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from agents.models import Agent
from console.lib.text_column import TextColumn
from rollouts.engine.states import RollbackState, RollbackTargetState
from rollouts.models.rollout import Rollout


class Rollback(models.Model):
    """A delivery wave backwards: of a rollout, or of a selector (then `rollout` is null).

    `wave` is the last wave offered (1 is the first); `cause` keeps the gate that decided it.
    """

    class Kind(models.TextChoices):
        AUTOMATIC = "automatic"
        MANUAL = "manual"
        SELECTOR = "selector", "By selector"

    class Method(models.TextChoices):
        IMMEDIATE = "immediate"
        GRADUAL = "gradual"

    rollout = models.OneToOneField(Rollout, models.CASCADE, null=True, related_name="rollback")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    method = models.CharField(max_length=10, choices=Method.choices, default=Method.IMMEDIATE)
    selector = models.TextField(blank=True)
    to = models.CharField(max_length=80, default="previous")
    state = models.CharField(
        max_length=12, choices=RollbackState.choices(), default=RollbackState.RUNNING
    )
    reason = TextColumn()
    cause = models.JSONField(default=dict)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    requested_by_name = models.CharField(max_length=150)
    counts = models.JSONField(default=dict)
    breach_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField()
    offered_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    next_tick_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)
    wave = models.PositiveIntegerField(default=0)
    tick_error = TextColumn(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["next_tick_at"],
                name="rollback_due",
                condition=Q(next_tick_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"rollback {self.pk}"

    @property
    def topic(self) -> str:
        return f"rollback:{self.pk}"


class RollbackTarget(models.Model):
    """One agent on its way back: from which hash, to which, and whether it said so itself.

    State `no_version` means no known-good version exists; such an agent is left alone.
    """

    rollback = models.ForeignKey(Rollback, models.CASCADE, related_name="targets", db_index=False)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="+")
    wave = models.PositiveIntegerField(default=0)
    from_hash = models.CharField(max_length=64)
    to_hash = models.CharField(max_length=64, blank=True)
    state = models.CharField(
        max_length=12, choices=RollbackTargetState.choices(), default=RollbackTargetState.WAITING
    )
    online = models.BooleanField(default=True)
    offered_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    error = TextColumn(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rollback", "agent"], name="one_way_back_per_agent")
        ]
        indexes = [models.Index(fields=["rollback", "state", "wave"], name="way_back_in_line")]

    def __str__(self) -> str:
        return f"agent {self.agent_id} back to {self.to_hash[:12]}"
