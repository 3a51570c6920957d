"""Names under which the same metric goes (docs/metrics.md, "Names"). Pure.

Prometheus adds `_total` and units, collectors an `otelcol_` before what a Go program calls
`process_...`, and what a name says of its unit came and went with versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

FAMILIES = (
    ("process_cpu_seconds_total", "otelcol_process_cpu_seconds_total"),
    (
        "process_resident_memory_bytes",
        "otelcol_process_memory_rss_bytes",
        "otelcol_process_memory_rss",
    ),
    ("log_messages_total", "log_records_total", "otelcol_log_records_total"),
    (
        "otelcol_process_uptime_seconds_total",
        "otelcol_process_uptime_seconds",
        "otelcol_process_uptime_total",
    ),
)
# Counters that a collector exports from the first failure on: missing beside others, they are nought.
UNTIL_FAILURE = re.compile(
    r"otelcol_(exporter_(send|enqueue)_failed|receiver_(refused|failed)"
    r"|processor_(refused|dropped)|log_records)|log_(messages|records)"
)


def spellings(name: str) -> tuple[str, ...]:
    """Return every known spelling of a metric, the one given first."""
    found = {name: None}
    for known in (name, *_family(name)):
        found |= dict.fromkeys((known, _other(known)))
    return tuple(found)


def _family(name: str) -> Iterator[str]:
    for family in FAMILIES:
        if name in family or _other(name) in family:
            yield from family


def _other(name: str) -> str:
    """Return a counter with, or without, the `_total` that Prometheus adds."""
    return name.removesuffix("_total") if name.endswith("_total") else f"{name}_total"
