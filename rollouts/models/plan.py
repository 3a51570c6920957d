from __future__ import annotations

from django.conf import settings
from django.db import models


class Plan(models.Model):
    """A reusable list of phases with criteria. `text` is the YAML as written, `parsed` its
    `rollouts.plans.plan.Plan.to_dict()`. Rollouts freeze a copy of `parsed`."""

    name = models.SlugField(max_length=100, unique=True)
    text = models.TextField()
    parsed = models.JSONField()
    built_in = models.BooleanField(default=False)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return self.name


class NamedSelector(models.Model):
    """A selector with a name (spec section 3, `selectors:`), as text form."""

    name = models.SlugField(max_length=100, unique=True)
    text = models.TextField()
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return self.name
