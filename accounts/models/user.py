from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person. What they may do comes from their role bindings (`accounts.policy`)."""

    time_zone = models.CharField(max_length=64, blank=True, default="")
    theme = models.CharField(
        max_length=8,
        default="system",
        choices=[("system", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))],
    )
