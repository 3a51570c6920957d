from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac

SESSION_SALT = "accounts.User.session"


class Theme(models.TextChoices):
    """How a person wants pages drawn."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class User(AbstractUser):
    """A person. What they may do comes from their role bindings (`accounts.policy`)."""

    time_zone = models.CharField(max_length=64, blank=True, default="")
    theme = models.CharField(max_length=8, default=Theme.SYSTEM, choices=Theme.choices)
    single_keys = models.BooleanField(default=True, db_default=True)
    compact_rows = models.BooleanField(default=False, db_default=False)
    session_epoch = models.PositiveIntegerField(default=0, db_default=0)

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        """Return what a session must carry to be one of this person: another password, or another
        epoch (`accounts.sessions`), ends it."""
        own: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]  # of Django
        if not self.session_epoch:
            return own
        told = f"{own}|{self.session_epoch}"
        return salted_hmac(SESSION_SALT, told, secret=secret, algorithm="sha256").hexdigest()
