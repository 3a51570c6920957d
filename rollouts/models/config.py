from __future__ import annotations

from django.conf import settings
from django.db import models

from agents.models import ConfigBody


class Config(models.Model):
    """A named line of configuration, e.g. `edge-gateway`."""

    name = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ConfigVersion(models.Model):
    """One immutable, numbered body of a config. `body_ref` holds the exact bytes by hash."""

    config = models.ForeignKey(Config, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    body_ref = models.ForeignKey(
        ConfigBody, models.PROTECT, related_name="+", db_column="config_hash"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    message = models.TextField(blank=True)
    checks = models.JSONField(default=list)
    signature = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["config", "number"], name="one_number_per_config"),
            models.UniqueConstraint(fields=["config", "body_ref"], name="one_version_per_body"),
        ]

    def __str__(self) -> str:
        return f"{self.config.name} v{self.number}"

    @property
    def config_hash(self) -> str:
        """Lower-case hex SHA-256 of the body's bytes."""
        return self.body_ref_id
