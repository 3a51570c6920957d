"""A real PostgreSQL and a real Redis without installing either: for one machine and for tests.

Plain Python, no Django. Both listen on 127.0.0.1 only, on a port from the system, behind a random
password kept in their directory; both end with the process that started them. `prepare_*` returns a
command for the process runner, `start_*` runs it. Production sets DATABASE_URL and REDIS_URL.

Tests: `tests/console/embedded/test_servers.py`.
"""

from __future__ import annotations

from pathlib import Path

from console.embedded.postgres import prepare_postgres
from console.embedded.redis import prepare_redis
from console.embedded.server import EmbeddedError, Prepared, Running, start

__all__ = [
    "EmbeddedError",
    "Prepared",
    "Running",
    "prepare_postgres",
    "prepare_redis",
    "start_postgres",
    "start_redis",
]


def start_postgres(data_dir: Path, *, durable: bool = False) -> Running:
    """Start PostgreSQL on `data_dir` (made if missing) and return when it answers.

    `durable=False` gives up surviving a power cut for speed, which is right for tests. Raises
    EmbeddedError with the reason when it cannot start.
    """
    return start(prepare_postgres(data_dir, durable=durable))


def start_redis(data_dir: Path) -> Running:
    """Start Redis on `data_dir` (made if missing) and return when it answers.

    Raises EmbeddedError with the reason when it cannot start.
    """
    return start(prepare_redis(data_dir))
