"""The recording rules that are shipped, checked and tested by promtool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

RULES = Path(__file__).resolve().parent.parent / "docker" / "prometheus"


@pytest.mark.real
@pytest.mark.parametrize(
    "words", ["check rules collectors.rules.yaml", "test rules collectors.test.yaml"]
)
def test_promtool_finds_nothing_wrong(words: str) -> None:
    assert shutil.which("promtool"), "promtool is not installed (apt-get install prometheus)"
    done = subprocess.run(
        ["promtool", *words.split()], cwd=RULES, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
