from __future__ import annotations

import argparse

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from console.demo import files, people


class Command(BaseCommand):
    help = "Make the demo's people, API token and example configs, where they are missing."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--console-url", required=True)
        parser.add_argument("--opamp-url", required=True)

    def handle(self, **given: object) -> None:
        addresses = people.Addresses(str(given["console_url"]), str(given["opamp_url"]))
        found = people.ensure(settings.DATA_DIR, addresses, timezone.now())
        files.ensure(found["author"])
