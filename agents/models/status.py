from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from agents.models.agent import Agent


class GatewayLease(models.Model):
    """One gateway process. Agents count as connected only while their gateway renews its lease."""

    LIFE = timedelta(seconds=15)

    id = models.UUIDField(primary_key=True)
    host = models.CharField(max_length=200)
    port = models.IntegerField()
    pid = models.IntegerField()
    started_at = models.DateTimeField()
    renewed_at = models.DateTimeField(db_index=True)
    stopped_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.host}:{self.port} pid {self.pid}"

    def is_alive(self, now: datetime) -> bool:
        return self.stopped_at is None and now - self.renewed_at < self.LIFE


class ConfigStatus(models.IntegerChoices):
    """RemoteConfigStatuses of OpAMP; None in the row means the agent never reported one."""

    UNSET = 0
    APPLIED = 1
    APPLYING = 2
    FAILED = 3


# Why a connection was ended: its agent said nothing for too long (OP-36).
SILENT = "silent"


# A heartbeat comes every 30 s, and gateways write every 20 s whom they heard.
LATE_AFTER = timedelta(seconds=75)


def is_late(connected: bool | None, last_seen_at: datetime | None, now: datetime) -> bool:
    """Whether an agent that counts as connected was not heard of for longer than it should be."""
    return bool(connected) and last_seen_at is not None and now - last_seen_at > LATE_AFTER


def late_q(now: datetime) -> Q:
    """Return the condition on agents for what `is_late` asks of one."""
    return Q(status__connected=True, status__last_seen_at__lt=now - LATE_AFTER)


class AgentStatus(models.Model):
    """The hot row of an agent: connection, health and config as last reported.

    Written only by gateways (batched) and by the reconcile task when a gateway dies. No index on
    columns that change often, so that updates stay HOT (gateway.md section 8). A gateway writes
    only while `session_id` is its own session of the agent, so a late word from a gateway that the
    agent has left changes nothing. `running_hash` is the last hash reported APPLIED, "" when nobody
    knows what runs; `former_hash` what ran before it. `refused_hash` is the first hash refused
    since then, `wedged_since` the one since which the agent refuses everything (`wedged.py`).
    `config_losses` counts how often it came back without the config that it ran, last at `config_lost_at`.
    `left_reason` says why the agent is not connected. `settings_offered_hash` is what was last sent, `settings_hash` what the agent last named.
    """

    agent = models.OneToOneField(Agent, models.CASCADE, primary_key=True, related_name="status")
    gateway = models.ForeignKey(GatewayLease, models.SET_NULL, null=True, db_constraint=False)
    session_id = models.UUIDField(null=True)
    connected = models.BooleanField(default=False)
    connected_at = models.DateTimeField(null=True)
    disconnected_at = models.DateTimeField(null=True)
    transport = models.CharField(max_length=4, blank=True)
    address = models.CharField(max_length=64, blank=True)
    last_seen_at = models.DateTimeField(null=True)
    left_reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    sequence_num = models.BigIntegerField(default=0)

    healthy = models.BooleanField(null=True)
    health_status = models.CharField(max_length=64, blank=True)
    health_error = models.TextField(blank=True)
    sick_component = models.TextField(blank=True, default="", db_default="")
    health_changed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)

    config_hash = models.CharField(max_length=128, blank=True, default="")
    config_status = models.SmallIntegerField(null=True, choices=ConfigStatus.choices)
    config_error = models.TextField(blank=True)
    config_at = models.DateTimeField(null=True)
    running_hash = models.CharField(max_length=128, blank=True, default="")
    former_hash = models.CharField(max_length=128, blank=True, default="", db_default="")
    refused_hash = models.CharField(max_length=128, blank=True, default="", db_default="")
    wedged_since = models.CharField(max_length=128, blank=True, default="", db_default="")
    config_losses = models.IntegerField(default=0, db_default=0)
    config_lost_at = models.DateTimeField(null=True)
    effective_hash = models.CharField(max_length=64, blank=True, default="")

    settings_offered_hash = models.CharField(max_length=64, blank=True, default="")
    settings_offered_at = models.DateTimeField(null=True)
    settings_hash = models.CharField(max_length=128, blank=True, default="")
    settings_status = models.SmallIntegerField(null=True, choices=ConfigStatus.choices)
    settings_error = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "agent statuses"
        indexes = [
            models.Index(fields=["agent"], name="wedged_agents", condition=~Q(wedged_since=""))
        ]

    def __str__(self) -> str:
        return f"status of agent {self.agent_id}"

    @property
    def no_word_since(self) -> datetime | None:
        """Since when the agent has said nothing, where silence is what ended its connection."""
        is_silent = not self.connected and self.left_reason == SILENT
        return self.last_seen_at if is_silent else None


class AgentBody(models.Model):
    """A large reported part, written only when its hash changes: health tree, effective config."""

    class Part(models.TextChoices):
        HEALTH = "health"
        EFFECTIVE_CONFIG = "effective_config"

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="bodies")
    part = models.CharField(max_length=20, choices=Part.choices)
    body_hash = models.CharField(max_length=64)
    body = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "part"], name="one_body_per_part")]

    def __str__(self) -> str:
        return f"{self.part} of agent {self.agent_id}"
