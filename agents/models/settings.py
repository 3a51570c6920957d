from __future__ import annotations

from django.db import models

from agents.models.agent import Agent


class DesiredSettings(models.Model):
    """The connection settings one agent should use, complete (OP-37, OP-38; security.md R25).

    `settings` is the plain form of `agents.opamp.settings`; `settings_hash` covers all of it and a
    salt, so that the same settings can be offered again (OP-41). `change` works as in Desired.
    """

    agent = models.OneToOneField(
        Agent, models.CASCADE, primary_key=True, related_name="desired_settings"
    )
    settings = models.JSONField()
    settings_hash = models.CharField(max_length=64)
    change = models.BigIntegerField(db_index=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "desired settings"

    def __str__(self) -> str:
        return f"settings {self.settings_hash[:12]} for agent {self.agent_id}"


class Command(models.Model):
    """Something said to an agent at most once: a restart, a custom message, a new uid (OP-54, OP-56).

    Taken (`taken_at`) before it is sent, so that a gateway that dies in between says it never.
    """

    class Kind(models.TextChoices):
        RESTART = "restart"
        CUSTOM_MESSAGE = "custom_message"
        RENAME = "rename"
        FULL_STATE = "full_state"
        NO_CERTIFICATE = "no_certificate"
        MAKE_KEY = "make_key"

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="commands")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    details = models.JSONField(default=dict)
    data = models.BinaryField(default=bytes)
    by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["agent"], name="command_waiting", condition=models.Q(taken_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for agent {self.agent_id}"
