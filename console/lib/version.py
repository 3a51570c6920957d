"""The version, read from the newest heading of CHANGELOG.md."""

from __future__ import annotations

import re
from pathlib import Path

_HEADING = re.compile(r"^## v?(\d+\.\d+\.\d+)", re.MULTILINE)


def _read() -> str:
    changelog = Path(__file__).resolve().parents[2] / "CHANGELOG.md"
    found = _HEADING.search(changelog.read_text()) if changelog.is_file() else None
    return found.group(1) if found else "0.0.0"


VERSION = _read()
