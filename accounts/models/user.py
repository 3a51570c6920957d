from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Theme(models.TextChoices):
    """How a person wants pages drawn."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class User(AbstractUser):
    """A person. What they may do comes from their role bindings (`accounts.policy`)."""

    time_zone = models.CharField(max_length=64, blank=True, default="")
    theme = models.CharField(max_length=8, default=Theme.SYSTEM, choices=Theme.choices)
