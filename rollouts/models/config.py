from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Subquery, TextField, Value
from django.db.models.functions import Coalesce

from agents.models import ConfigBody, SignedVersion


class Config(models.Model):
    """A named line of configuration, e.g. `edge-gateway`."""

    name = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ConfigVersionQuerySet(models.QuerySet["ConfigVersion"]):
    def with_signature(self) -> Self:
        """Read with each version the signature that it has, "" for none, into `signature`."""
        rows = SignedVersion.objects.good().filter(
            config_name=OuterRef("config__name"), version=OuterRef("number")
        )
        signature = Subquery(rows.values("signature")[:1])
        return self.annotate(signature=Coalesce(signature, Value(""), output_field=TextField()))


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
    created_at = models.DateTimeField()

    objects = ConfigVersionQuerySet.as_manager()
    # Only with `with_signature`.
    signature: str

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
