"""Values of well-known settings that have a closed list of them. Pure.

The lists are those of core components and of the telemetry section, as their documentation names
them; they are read whatever their case, as collectors do. A value outside is a warning, not an error:
another version may know more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.lib.durations import shown
from console.lib.texts import text
from rollouts.configs.collector import KINDS, Collector, is_reference, type_of
from rollouts.configs.findings import Check, ConfigFinding, Severity
from rollouts.configs.sections import cut, near

_LEVELS = ("none", "basic", "normal", "detailed")
_COMPRESSION = ("none", "gzip", "zstd", "snappy", "zlib", "deflate", "lz4")
_ERROR_MODE = ("ignore", "silent", "propagate")

# (section, type of component, path of the setting) -> what it may be
OF_COMPONENTS: dict[tuple[str, str, tuple[str, ...]], tuple[str, ...]] = {
    ("exporters", "debug", ("verbosity",)): ("basic", "normal", "detailed"),
    ("exporters", "logging", ("verbosity",)): ("basic", "normal", "detailed"),
    ("exporters", "otlp", ("compression",)): _COMPRESSION,
    ("exporters", "otlphttp", ("compression",)): _COMPRESSION,
    ("exporters", "otlphttp", ("encoding",)): ("proto", "json"),
    ("exporters", "file", ("format",)): ("json", "proto"),
    ("processors", "filter", ("error_mode",)): _ERROR_MODE,
    ("processors", "transform", ("error_mode",)): _ERROR_MODE,
    ("processors", "probabilistic_sampler", ("mode",)): (
        *("hash_seed", "equalizing", "proportional"),
    ),
}
OF_TELEMETRY: dict[tuple[str, ...], tuple[str, ...]] = {
    ("logs", "level"): ("debug", "info", "warn", "error", "dpanic", "panic", "fatal"),
    ("logs", "encoding"): ("json", "console"),
    ("metrics", "level"): _LEVELS,
    ("traces", "level"): _LEVELS,
}


def values(collector: Collector) -> Iterator[ConfigFinding]:
    """Yield a warning for each setting with a value that collectors do not know."""
    for section in KINDS:
        body = collector.data.get(section)
        for component, settings in body.items() if isinstance(body, dict) else ():
            for (where, kind, path), known in OF_COMPONENTS.items():
                if where == section and kind == type_of(component):
                    yield from _asked(collector, settings, (section, component), path, known)
    telemetry = collector.service.get("telemetry")
    for path, known in OF_TELEMETRY.items():
        yield from _asked(collector, telemetry, ("service", "telemetry"), path, known)


def _asked(
    collector: Collector,
    settings: Any,
    base: tuple[str, ...],
    path: tuple[str, ...],
    known: tuple[str, ...],
) -> Iterator[ConfigFinding]:
    value = settings
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if value is None or is_reference(value):
        return
    if isinstance(value, str) and (not value or value.lower() in known):
        return
    says = text(
        "config.no_such_value",
        key=cut(".".join((*base, *path))),
        read=shown(value),
        known=known,
        near=near(value.lower(), known) if isinstance(value, str) else "",
    )
    yield ConfigFinding(Check.VALUES, Severity.WARNING, says, collector.line(*base, *path))
