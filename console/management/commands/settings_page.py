"""manage.py settings_page: the environment variables as Markdown (docs/settings.md)."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand

from console.docs.settings import as_markdown


class Command(BaseCommand):
    help = "Print the environment variables that Tidegate reads, with their defaults."
    requires_system_checks = []

    def handle(self, **given: object) -> None:
        text = (settings.BASE_DIR / "console" / "settings.py").read_text()
        self.stdout.write(as_markdown(text), ending="")
