"""Real PostgreSQL and Redis for the whole test run, started once from the embedded wheels.

A pytest plugin (`-p tests.stores` in pyproject.toml), because Django reads its settings before
any conftest.py is loaded. Set DATABASE_URL and REDIS_URL to use your own servers. Workers of
xdist inherit the addresses through the environment; each has databases of its own on both, so that
a test that empties the cache empties no other's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from console import embedded

_running: list[embedded.Running] = []
_data_dir: Path | None = None


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """Start what is not given, before Django is set up."""
    global _data_dir
    os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
    if "TIDEGATE_DATA" not in os.environ:
        _data_dir = Path(tempfile.mkdtemp(prefix="tg-test-"))
        os.environ["TIDEGATE_DATA"] = str(_data_dir)
    data_dir = Path(os.environ["TIDEGATE_DATA"])
    # WhiteNoise warns when the directory is missing, and warnings are errors here.
    (data_dir / "staticfiles").mkdir(parents=True, exist_ok=True)
    if "DATABASE_URL" not in os.environ:
        _running.append(embedded.start_postgres(data_dir / "postgres"))
        os.environ["DATABASE_URL"] = _running[-1].url
    if "REDIS_URL" not in os.environ:
        _running.append(embedded.start_redis(data_dir / "redis"))
        os.environ["REDIS_URL"] = _running[-1].url
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        server = urlsplit(os.environ["REDIS_URL"])
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = server._replace(path=f"/{number}").geturl()
    return (yield)


def pytest_unconfigure() -> None:
    """Stop what this run started."""
    while _running:
        _running.pop().stop()
    if _data_dir is not None:
        shutil.rmtree(_data_dir, ignore_errors=True)
