from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.conf import settings
from django.db import models

from rollouts.models.rollout import Rollout

PREFIX = "tg_s_"


def digest(secret: str) -> str:
    """Return the SHA-256 hex under which the secret of a link is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ShareLink(models.Model):
    """A link to how one rollout went, to read without an account: 256 bits, shown once, stored as
    SHA-256, always expiring."""

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="share_links")
    digest = models.CharField(max_length=64, unique=True)
    shown_prefix = models.CharField(max_length=16)
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by_name = models.CharField(max_length=150, blank=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.shown_prefix}… of {self.rollout_id}"

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the link opens at `now`."""
        return self.revoked_at is None and now < self.expires_at


def new_secret() -> str:
    """Return the secret of a new link: 256 random bits in letters that stand in any address."""
    return PREFIX + secrets.token_urlsafe(32)
