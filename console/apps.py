from __future__ import annotations

from django.apps import AppConfig

import console.celery
from console.words.tables import register_all


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        """Make our Celery app the default one, so that tasks bind to it in every process, and give
        the texts of the domain their sentences."""
        console.celery.app.set_default()
        register_all()
