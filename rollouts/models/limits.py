from __future__ import annotations

from django.db import models


class FreezeWindow(models.Model):
    """A time in which no rollout advances in an environment; rollbacks pass (spec section 4).

    Dated (`starts_at`, `ends_at`) or weekly (`weekdays` 0=Monday, `from_time`, `to_time`), read in
    `time_zone`. `environment` is a value of label `env`; "" means everywhere.
    """

    name = models.CharField(max_length=100, unique=True)
    environment = models.CharField(max_length=100, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    weekdays = models.JSONField(default=list)
    from_time = models.TimeField(null=True)
    to_time = models.TimeField(null=True)
    reason = models.TextField()
    updated_by = models.CharField(max_length=150)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Budget(models.Model):
    """How many agents with the same value of `label` may change or be unhealthy at once."""

    label = models.CharField(max_length=100, unique=True)
    max_agents = models.PositiveIntegerField(null=True)
    max_share = models.FloatField(null=True)
    updated_by = models.CharField(max_length=150)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"budget per {self.label}"


class BudgetLease(models.Model):
    """One agent that is changing under one budget, held from its offer until it has settled.

    Taken under the budget row's lock, so that no two ticks spend the same room. `topic` is the
    rollout or rollback that changes it.
    """

    budget = models.ForeignKey(Budget, models.CASCADE, related_name="leases")
    agent_id = models.BigIntegerField()
    value = models.CharField(max_length=200)
    topic = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["budget", "agent_id"], name="one_lease_per_agent")
        ]
        indexes = [models.Index(fields=["topic", "agent_id"], name="lease_of_topic")]

    def __str__(self) -> str:
        return f"agent {self.agent_id} changes under budget {self.budget_id}"


class EnvironmentGuard(models.Model):
    """A guard that applies to every rollout touching an environment; plans cannot remove it."""

    environment = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=100, unique=True)
    spec = models.JSONField()
    reason = models.TextField()
    updated_by = models.CharField(max_length=150)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
