from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from console.processes import up
from console.processes.stack import StackOptions

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Command(BaseCommand):
    help = (
        "Run everything on this machine: PostgreSQL and Redis (unless DATABASE_URL and REDIS_URL "
        "are set), console, gateway, workers and beat. --demo adds a simulated fleet."
    )
    # Checks that need a database belong to the processes that have one.
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="simulated fleet, examples, users")
        parser.add_argument("--port", type=_port, default=8080, help="console (default 8080)")
        parser.add_argument("--opamp-port", type=_port, default=4320, help="agents (default 4320)")
        parser.add_argument("--host", default="127.0.0.1", help="address (default 127.0.0.1)")
        parser.add_argument("--data", type=Path, help="data directory (default var/)")
        parser.add_argument("--agents", type=_count, default=200, help="simulated agents (200)")
        parser.add_argument(
            "--tls",
            action="store_true",
            help="agents over TLS, each with a certificate; they are made in the data directory",
        )
        parser.add_argument(
            "--simulate",
            type=shlex.split,
            default=[],
            metavar="OPTIONS",
            help="more for the fleet, e.g. '--fail-share 5%%' (see manage.py simulate --help)",
        )

    def handle(self, **given: object) -> None:
        host = str(given["host"])
        if host not in _LOOPBACK and not os.environ.get("ALLOWED_HOSTS"):
            self.stderr.write(
                f"--host {host} opens Tidegate to other machines: set ALLOWED_HOSTS to the names "
                "under which browsers may reach it, and PUBLIC_URL to its address."
            )
            sys.exit(2)
        if given["port"] == given["opamp_port"]:
            self.stderr.write("--port and --opamp-port must differ: browsers and agents are two.")
            sys.exit(2)
        data = given["data"]
        options = StackOptions(
            data_dir=(data if isinstance(data, Path) else settings.DATA_DIR).resolve(),
            host=host,
            port=int(str(given["port"])),
            opamp_port=int(str(given["opamp_port"])),
            demo=bool(given["demo"]),
            agents=int(str(given["agents"])),
            tls=bool(given["tls"]),
            simulate=tuple(map(str, given["simulate"])),  # type: ignore[call-overload]
        )
        sys.exit(up.run(options, sys.stdout))


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{number} is not a port (1 to 65535)")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} agents: at least 1 is needed")
    return number
