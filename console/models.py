"""What the console itself keeps: answers to writes that were sent with an Idempotency-Key."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class StoredAnswer(models.Model):
    """The answer to one write of one person under one key, given again when it is sent again.

    Written in the transaction of the write itself, so there is an answer exactly when the write
    happened. `status` 0 exists only inside that transaction. `fingerprint` is the SHA-256 of
    method, path and body.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_key")]
        indexes = [models.Index(fields=["created_at"], name="answer_by_age")]

    def __str__(self) -> str:
        return f"answer {self.status} to {self.key}"
