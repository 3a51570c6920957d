"""What a run was measured on, said beside its numbers."""

from __future__ import annotations

import os
from pathlib import Path

_MODEL = "model name"


def machine() -> str:
    """Return in one line what this runs on and how busy it is."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        if line.startswith(_MODEL):
            model = line.partition(":")[2].strip()
            break
    loads = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    return f"{model}, {os.cpu_count()} cores, load average {loads}"
