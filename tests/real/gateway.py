"""One `manage.py gateway` process on the database of the test run."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from urllib.parse import quote

import requests
from django.conf import settings
from django.db import connection

from tests.clients.process import Process
from tests.make.waiting import eventually, free_port

ROOT = Path(__file__).resolve().parents[2]


def database_url() -> str:
    """The address of the database that Django uses here, which pytest-django may have renamed."""
    one = connection.settings_dict
    user = f"{quote(str(one['USER']))}:{quote(str(one['PASSWORD']))}"
    return f"postgresql://{user}@{one['HOST']}:{one['PORT']}/{one['NAME']}"


class Gateway:
    """A gateway on a port of its own; the port stays the same over restarts.

    Own metrics are not offered unless asked for: the offer restarts a supervised collector.
    """

    def __init__(self, log: Path, *arguments: str) -> None:
        self.port = free_port()
        if "--own-metrics-url" not in arguments:
            arguments = (*arguments, "--own-metrics-url", "off")
        manage = [sys.executable, str(ROOT / "manage.py"), "gateway", "--host", "127.0.0.1"]
        self.process = Process(
            [*manage, "--port", str(self.port), *arguments],
            log=log,
            env={
                "DATABASE_URL": database_url(),
                "REDIS_URL": settings.REDIS_URL,
                "SECRET_KEY": settings.SECRET_KEY,
                "TIDEGATE_DATA": os.environ["TIDEGATE_DATA"],
                "DJANGO_SETTINGS_MODULE": "console.settings",
            },
        )

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/opamp"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/opamp"

    def start(self) -> Gateway:
        """Start it and wait until it answers; one that does not is ended."""
        self.process.start()
        try:
            eventually(
                self._answers, "the gateway answers", timeout_s=30, seen=self.process.log_tail
            )
        except BaseException:
            self.kill()
            raise
        return self

    def _answers(self) -> bool:
        assert self.process.is_running(), self.process.log_tail()
        try:
            requests.get(self.http_url, timeout=2)
        except requests.ConnectionError:
            return False
        return True

    def stop(self) -> None:
        """Drain and end, as a rolling restart does."""
        self.process.stop(signal.SIGTERM, timeout_s=20)

    def kill(self) -> None:
        """End without a word to anybody."""
        self.process.stop(signal.SIGKILL)
