from __future__ import annotations

import uuid

from django.db import models

from agents.models.agent import Agent


class Session(models.Model):
    """One connection of an agent from first message to close: the unit of connection stability."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="sessions")
    gateway_id = models.UUIDField()
    transport = models.CharField(max_length=4)
    address = models.CharField(max_length=64, blank=True)
    principal = models.CharField(max_length=100, blank=True)
    connected_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["agent", "-connected_at"], name="session_of_agent"),
            models.Index(
                fields=["gateway_id"],
                name="open_session_of_gateway",
                condition=models.Q(disconnected_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"session {self.id} of agent {self.agent_id}"


class AgentEvent(models.Model):
    """One line of an agent's history: connection, health, config, rename, duplicate, command."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["agent", "-id"], name="event_of_agent")]

    def __str__(self) -> str:
        return f"{self.kind} of agent {self.agent_id}"
