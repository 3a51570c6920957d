from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.conf import settings
from django.db import models

PREFIX = "tg_u_"


def digest(secret: str) -> str:
    """Return the SHA-256 hex under which a token is stored (security.md R39)."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiToken(models.Model):
    """An API token of one person: 256 bits, shown once, stored as SHA-256, always expiring."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    shown_prefix = models.CharField(max_length=16)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.GenericIPAddressField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.shown_prefix}… of {self.owner}"

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the token may still be used at `now`."""
        return self.revoked_at is None and now < self.expires_at

    @classmethod
    def issue(cls, *, owner: object, name: str, expires_at: datetime) -> tuple[ApiToken, str]:
        """Create a token; the second value is the secret, which is never available again."""
        secret = PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(
            owner=owner,
            name=name,
            digest=digest(secret),
            shown_prefix=secret[:13],
            expires_at=expires_at,
        )
        return token, secret
