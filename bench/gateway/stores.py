"""Import this first: PostgreSQL and Redis for the gateway's benchmark, off the server's core.

This process, the stores and the load share the other cores; the server under test has core 0 for
itself; with a single core everything shares it. BENCH_REALTIME=1 (for root) runs all of them
before anything else of this machine (SCHED_RR), where others work at the same time.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from console import embedded

ALL_CORES = os.sched_getaffinity(0)
SERVER_CORES = {min(ALL_CORES)}
OTHER_CORES = ALL_CORES - SERVER_CORES or ALL_CORES
os.sched_setaffinity(0, OTHER_CORES)
if os.environ.get("BENCH_REALTIME") == "1":
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
DIRECTORY = Path(tempfile.mkdtemp(prefix="tg-bench-gateway-"))
atexit.register(shutil.rmtree, DIRECTORY, ignore_errors=True)
if "REDIS_URL" not in os.environ:
    _redis = embedded.start_redis(DIRECTORY / "redis")
    os.environ["REDIS_URL"] = _redis.url
    atexit.register(_redis.stop)

from bench import store  # isort: skip  # noqa: E402 - starts the database, sets Django up

import psycopg  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from agents.actions.set_desired import set_desired  # noqa: E402
from agents.models import Agent, ConfigBody  # noqa: E402
from bench.gateway.servers import cpu_of, tree_of  # noqa: E402

_POLL_S = 0.02


def database_cpu_s() -> float:
    """Return the CPU seconds of PostgreSQL; 0 when it is not ours (DATABASE_URL)."""
    return cpu_of(tree_of(store.POSTGRES.pid)) if store.POSTGRES is not None else 0.0


def rows(query: str, *values: object) -> list[tuple[Any, ...]]:
    """Read from the benchmark's database, beside Django's connection."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        return connection.execute(query.encode(), values).fetchall()


def number(query: str, *values: object) -> int:
    """Read one whole number."""
    return int(rows(query, *values)[0][0])


def agent_ids(last: int) -> list[int]:
    """Return the ids of the agents that came last."""
    return list(Agent.objects.order_by("-id").values_list("id", flat=True)[:last])


def upload(text: str, size: int = 4096) -> str:
    """Store a config of `size` bytes; return its hash."""
    body = f"# {text}\n".encode().ljust(size, b"#")
    config_hash = hashlib.sha256(body).hexdigest()
    ConfigBody.objects.create(
        config_hash=config_hash, body=body, size_bytes=size, created_at=timezone.now()
    )
    return config_hash


def push(ids: list[int], config_hash: str, cause: str) -> float:
    """Set the desired config of these agents; return the moment before (monotonic seconds)."""
    began = time.monotonic()
    with transaction.atomic():
        made = set_desired(
            wants=dict.fromkeys(ids, config_hash), cause=cause, topic=cause, now=timezone.now()
        )
    if len(made.offered) != len(ids):
        raise RuntimeError(f"{len(made.offered)} of {len(ids)} agents were offered {cause}")
    return began


def wait_settled(cause: str, at_least: int, patience_s: float) -> float | None:
    """Wait until so many deliveries are confirmed and stored; return the moment, None if never."""
    deadline = time.monotonic() + patience_s
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        while time.monotonic() < deadline:
            found = connection.execute(
                "SELECT count(*) FROM agents_delivery WHERE cause = %s AND state = 'applied'",
                [cause],
            ).fetchone()
            if found is not None and found[0] >= at_least:
                return time.monotonic()
            time.sleep(_POLL_S)
    return None


def written_rows() -> dict[str, int]:
    """Return the rows inserted, updated and deleted so far, by table; temporary ones left out."""
    return dict(
        rows(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables "
            "WHERE schemaname = 'public'"
        )
    )
