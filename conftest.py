"""Real PostgreSQL and Redis for the whole test run, started once from the embedded wheels.

Set DATABASE_URL and REDIS_URL to use your own. Servers are started before Django reads its
settings, in a directory of their own, and are stopped at the end; xdist workers share them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console import embedded

_running: list[embedded.Running] = []
_data_dir: Path | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Start what is not given. Workers of xdist inherit the controller's environment."""
    global _data_dir
    os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
    if hasattr(config, "workerinput"):
        return
    if "TIDEGATE_DATA" not in os.environ:
        _data_dir = Path(tempfile.mkdtemp(prefix="tg-test-"))
        os.environ["TIDEGATE_DATA"] = str(_data_dir)
    data_dir = Path(os.environ["TIDEGATE_DATA"])
    if "DATABASE_URL" not in os.environ:
        _running.append(embedded.start_postgres(data_dir / "postgres"))
        os.environ["DATABASE_URL"] = _running[-1].url
    if "REDIS_URL" not in os.environ:
        _running.append(embedded.start_redis(data_dir / "redis"))
        os.environ["REDIS_URL"] = _running[-1].url


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what this run started."""
    while _running:
        _running.pop().stop()
    if _data_dir is not None:
        shutil.rmtree(_data_dir, ignore_errors=True)


@pytest.fixture(autouse=True)
def _plain_static_files(settings) -> None:  # type: ignore[no-untyped-def]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture()
def redis_url() -> Iterator[str]:
    yield os.environ["REDIS_URL"]
