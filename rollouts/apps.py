from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from rollouts.builtin_plans import keep_builtin_plans


class RolloutsConfig(AppConfig):
    name = "rollouts"

    def ready(self) -> None:
        """Have the built-in plans written after each `migrate`."""
        post_migrate.connect(keep_builtin_plans, sender=self)
