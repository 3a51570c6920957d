from __future__ import annotations

from django.db import models
from django.db.models import Q

from agents.models.agent import Agent
from console.lib.text_column import TextColumn


class ConfigBody(models.Model):
    """The exact bytes behind a config hash: what gateways send (OP-27, OP-32)."""

    config_hash = models.CharField(max_length=64, primary_key=True)
    body = models.BinaryField()
    size_bytes = models.IntegerField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "config bodies"

    def __str__(self) -> str:
        return self.config_hash[:12]


class Desired(models.Model):
    """What one agent should run. The only thing gateways act on; see `actions.set_desired`.

    `change` grows with each push and is taken under one lock, so a gateway that has read up to N
    has missed nothing below N. `topic` ("rollout:42") asks for news about this agent (`News`).
    """

    agent = models.OneToOneField(Agent, models.CASCADE, primary_key=True, related_name="desired")
    config_hash = models.CharField(max_length=64)
    change = models.BigIntegerField(db_index=True)
    topic = models.CharField(max_length=64, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "desired configs"

    def __str__(self) -> str:
        return f"agent {self.agent_id} should run {self.config_hash[:12]}"


class Delivery(models.Model):
    """One offer of one hash to one agent, from offer to confirmed outcome (spec sections 1, 8).

    Acknowledgement (first status naming the hash) and outcome (applied or failed) are kept apart.
    """

    class State(models.TextChoices):
        OPEN = "open"
        APPLIED = "applied"
        FAILED = "failed"
        TIMED_OUT = "timed_out"
        SUPERSEDED = "superseded"

    # Not indexed by itself: `delivery_of_agent` begins with it.
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="deliveries", db_index=False)
    config_hash = models.CharField(max_length=64)
    cause = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    offered_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    # What the outcome was read from: "" the agent's own status, else "effective config".
    confirmed_by = models.CharField(max_length=20, blank=True, default="", db_default="")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["agent"], condition=Q(state="open"), name="one_open_delivery_per_agent"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "applied", "failed", "timed_out", "superseded"]),
                name="delivery_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["agent", "-id"], name="delivery_of_agent"),
            models.Index(fields=["cause", "state"], name="delivery_of_cause"),
            models.Index(fields=["-offered_at"], name="delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}: {self.config_hash[:12]} to agent {self.agent_id}"


class News(models.Model):
    """Something changed at an agent whose Desired.topic asks for news. Consumed by deleting.

    An inbox instead of a scan: a tick costs what changed. Written by gateways in the flush that
    stores the change and by `set_desired`; read through `agents.news.take(topic)`.
    """

    topic = models.CharField(max_length=64)
    agent_id = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "news"
        indexes = [models.Index(fields=["topic"], name="news_of_topic")]

    def __str__(self) -> str:
        return f"{self.topic}: agent {self.agent_id}"


class Quarantine(models.Model):
    """A hash that is not offered again until a person lifts it: for one agent, or fleet-wide."""

    class Outcome(models.TextChoices):
        FAILED = "failed"
        TIMED_OUT = "timed_out"
        FELL_BACK = "fell_back"
        ROLLED_BACK = "rolled_back"
        BY_HAND = "by_hand"

    agent = models.ForeignKey(Agent, models.CASCADE, null=True, related_name="quarantines")
    config_hash = models.CharField(max_length=64, db_index=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    cause = models.CharField(max_length=64, blank=True)
    reason = TextColumn(blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=150, blank=True)
    lift_reason = TextColumn(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "config_hash"],
                condition=Q(lifted_at=None),
                name="one_live_quarantine_per_agent",
            ),
            models.UniqueConstraint(
                fields=["config_hash"],
                condition=Q(lifted_at=None, agent=None),
                name="one_live_quarantine_of_the_fleet",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.config_hash[:12]} for {self.agent_id or 'the fleet'}"
