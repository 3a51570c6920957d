"""A statement of a worker ends before its task does, and with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

# A process as Celery's pool makes it, with one long statement.
_WORKER = """
import django
django.setup()
from celery import signals
from django.db import connection
import console.celery
signals.worker_process_init.send(sender=None)
with connection.cursor() as cursor:
    cursor.execute("SELECT pg_sleep(%s) AS {mark}", [120])
"""


class Worker:
    def __init__(self, mark: str, **environment: str) -> None:
        self.mark = mark
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER.replace("{mark}", mark)],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "console.settings", **environment},
            stderr=subprocess.PIPE,
            text=True,
        )

    def statements(self) -> list[Any]:
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            return connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s"
                " AND pid <> pg_backend_pid()",
                [f"%AS {self.mark}%"],
            ).fetchall()

    def until(self, running: bool, seconds: float) -> None:
        end = time.monotonic() + seconds
        while bool(self.statements()) is not running:
            assert time.monotonic() < end, f"running is not {running}"
            time.sleep(0.1)


@pytest.fixture
def worker(request: pytest.FixtureRequest) -> Iterator[Any]:
    started: list[Worker] = []

    def start(**environment: str) -> Worker:
        started.append(Worker(f"of_{request.node.name}", **environment))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def test_a_statement_that_takes_too_long_is_cancelled(worker: Any) -> None:
    slow = worker(WORKER_STATEMENT_TIMEOUT_S="0.5")
    said = slow.process.communicate(timeout=60)[1]
    assert "canceling statement due to statement timeout" in said
    assert not slow.statements()


def test_a_killed_worker_leaves_no_statement_behind(worker: Any) -> None:
    killed = worker()
    killed.until(True, 60)
    killed.process.send_signal(signal.SIGKILL)
    killed.process.wait(10)
    killed.until(False, 10)  # long before its own time-out


def test_a_timeout_beyond_the_life_of_a_task_is_refused_at_the_start(worker: Any) -> None:
    said = worker(WORKER_STATEMENT_TIMEOUT_S="20").process.communicate(timeout=60)[1]
    assert "WORKER_STATEMENT_TIMEOUT_S is 20; it must be more than 0 and less than 20" in said
