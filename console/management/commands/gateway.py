"""`manage.py gateway`: one OpAMP gateway process, or several on one port."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from agents.gateway import process
from agents.gateway.options import AUTHS, Intervals, Options
from console.processes.opamp_tls import proxy_options, tls_options


class Command(BaseCommand):
    help = "Serve OpAMP over WebSocket and plain HTTP on one path."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=4320)
        parser.add_argument("--path", default="/v1/opamp")
        parser.add_argument("--metrics-port", type=int, help="serve /metrics on this port")
        parser.add_argument("--workers", type=int, default=1, help="processes on the same port")
        parser.add_argument(
            "--auth",
            choices=AUTHS,
            help="what agents must show; default: none on loopback, else token, with TLS any",
        )
        parser.add_argument(
            "--own-metrics-url",
            default="",
            help="URL of /v1/metrics as agents reach it (by itself only on loopback), or off",
        )

        parser.add_argument(
            "--stop-within",
            type=float,
            default=10.0,
            help="end so many seconds after SIGTERM at the latest; connections are closed over the "
            "first half, so that agents do not all come to the next gateway at once (10)",
        )

    def handle(self, *args: Any, **words: Any) -> None:
        if not settings.DATABASE_URL:
            raise CommandError("DATABASE_URL is not set; `make up` starts a database and sets it.")
        try:
            options = self._options(words)
            options.check()
            process.run(options, workers=words["workers"])
        except (ValueError, OSError, process.GatewayDied) as error:
            raise CommandError(str(error)) from error

    def _options(self, words: dict[str, Any]) -> Options:
        tls, proxies = tls_options(), proxy_options()
        has_certificates = tls is not None or bool(proxies.certificate_header)
        auth = process.default_auth(words["host"], has_certificates=has_certificates)
        return Options(
            host=words["host"],
            port=words["port"],
            path=words["path"],
            metrics_port=words["metrics_port"],
            reuse_port=words["workers"] > 1,
            auth=words["auth"] or auth,
            tls=tls,
            proxies=proxies,
            own_metrics_url=words["own_metrics_url"],
            intervals=Intervals().ending_within(words["stop_within"]),
        )
