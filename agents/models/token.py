from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from agents.models.agent import Agent


class AgentToken(models.Model):
    """A bearer token of agents, stored as SHA-256 (security.md section 3).

    With an agent it is personal; without one it is shared by a pool, whose new agents get `labels`.
    """

    PREFIX = "tg_a_"

    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    shown_prefix = models.CharField(max_length=16)
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, related_name="tokens")
    labels = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["agent"], name="live_token_of_agent", condition=Q(revoked_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.shown_prefix}… ({self.name})"

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the token may be used at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
