from __future__ import annotations

from django.apps import AppConfig

import console.celery


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        """Make our Celery app the default one, so that tasks bind to it in every process."""
        console.celery.app.set_default()
