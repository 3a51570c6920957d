from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person. What they may do comes from their role bindings (`accounts.policy`)."""

    time_zone = models.CharField(max_length=64, blank=True, default="")
    theme = models.CharField(
        max_length=8,
        default="system",
        choices=[("system", "As the system"), ("light", "Light"), ("dark", "Dark")],
    )
