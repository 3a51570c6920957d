from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig

import console.celery


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        """Make our Celery app the default one, so that tasks bind to it in every process, and give
        the texts of the domain their sentences (which know states, so models come first)."""
        console.celery.app.set_default()
        import_module("console.words.tables").register_all()
