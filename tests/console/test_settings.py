"""A bad setting ends the start and says which it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PROMETHEUS_AGENT_LABELS", "host_name,a-b", "'a-b', which is not a label of Prometheus"),
        ("PROMETHEUS_AGENT_LABELS", "=host.name", "write it like host_name, or node=host.name"),
        ("WORKER_STATEMENT_TIMEOUT_S", "20", "WORKER_STATEMENT_TIMEOUT_S"),
    ],
)
def test_a_bad_value_refuses_to_start(name: str, value: str, says: str) -> None:
    env = {**os.environ, "SECRET_KEY": "x" * 50, name: value}
    code = [sys.executable, "-c", "import console.settings"]
    ended = subprocess.run(code, cwd=ROOT, env=env, capture_output=True, text=True)
    assert ended.returncode != 0
    assert "ImproperlyConfigured" in ended.stderr
    assert says in ended.stderr
