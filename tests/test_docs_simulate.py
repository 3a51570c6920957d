"""docs/simulate.md tells of every fault that `manage.py simulate` has."""

from __future__ import annotations

import re
from pathlib import Path

from agents.simulator.faults import MEANINGS, Fault

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "simulate.md").read_text()


def test_every_fault_has_its_row_and_its_help() -> None:
    assert re.findall(r"^\| `([\w-]+)` \|", TEXT, re.MULTILINE) == [*Fault] == [*MEANINGS]
