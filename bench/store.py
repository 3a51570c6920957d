"""Import this first: a real, empty, migrated PostgreSQL for one benchmark, stopped at its end.

DATABASE_URL, when set, is used instead (and must be a database that may be filled).
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import django
from django.core.management import call_command

from console import embedded

_data_dir = Path(tempfile.mkdtemp(prefix="tg-bench-"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
os.environ.setdefault("SECRET_KEY", "only-for-benchmarks-" + "x" * 40)
os.environ.setdefault("TIDEGATE_DATA", str(_data_dir))
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)
POSTGRES: embedded.Running | None = None
if "DATABASE_URL" not in os.environ:
    POSTGRES = embedded.start_postgres(_data_dir / "postgres", durable=True)
    os.environ["DATABASE_URL"] = POSTGRES.url
    atexit.register(POSTGRES.stop)
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")

django.setup()
call_command("migrate", verbosity=0)
