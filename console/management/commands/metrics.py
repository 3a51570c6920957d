"""manage.py metrics: the metric catalogue as Markdown (docs/metrics.md)."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from console.docs.metrics import as_markdown


class Command(BaseCommand):
    help = "Print the metrics that criteria and guards can name, with the queries behind them."
    requires_system_checks = []

    def handle(self, **given: object) -> None:
        self.stdout.write(as_markdown(), ending="")
