"""What a config does to the metrics that agents report about themselves. Pure.

A supervisor adds a reader to `service.telemetry.metrics` that sends a collector's own metrics; a
list in the config replaces it (a supervisor merges maps, not lists), and level `none` ends them.
Gates that read own metrics then have no data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.lib.texts import Text, text
from rollouts.configs.collector import Collector
from rollouts.configs.findings import Check, ConfigFinding, Severity

_PATH = ("service", "telemetry", "metrics")
_KEY = ".".join(_PATH)


def own_metrics(collector: Collector) -> Iterator[ConfigFinding]:
    """Yield a warning for each setting that ends agents' own metrics."""
    metrics: Any = collector.service
    for key in _PATH[1:]:
        metrics = metrics.get(key) if isinstance(metrics, dict) else None
    if not isinstance(metrics, dict):
        return
    if isinstance(metrics.get("level"), str) and metrics["level"].lower() == "none":
        yield _ends(collector, "level", text("config.level_none", key=_KEY))
    if isinstance(metrics.get("readers"), list):
        yield _ends(collector, "readers", text("config.own_readers", key=_KEY))


def _ends(collector: Collector, key: str, says: Text) -> ConfigFinding:
    line = collector.line(*_PATH, key)
    return ConfigFinding(Check.TELEMETRY, Severity.WARNING, says, line)
