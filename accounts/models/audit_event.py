from __future__ import annotations

from django.conf import settings
from django.db import models

from console.lib.text_column import TextColumn


class AuditEvent(models.Model):
    """One act, written in the transaction of the act itself and never changed (spec section 11)."""

    class ActorKind(models.TextChoices):
        HUMAN = "human"
        TOKEN = "token"  # noqa: S105  a kind of actor, not a secret
        SYSTEM = "system"
        AGENT = "agent"

    at = models.DateTimeField(db_index=True)
    actor_kind = models.CharField(max_length=8, choices=ActorKind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="audit_events"
    )
    actor_name = models.CharField(max_length=150)
    act = models.CharField(max_length=64, db_index=True)
    object_kind = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    object_name = models.CharField(max_length=200, blank=True)
    reason = TextColumn(blank=True)
    details = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = [models.Index(fields=["object_kind", "object_id", "-id"], name="audit_of_object")]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.act} {self.object_kind} {self.object_id}"
