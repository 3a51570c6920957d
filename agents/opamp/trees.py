"""Health trees and component lists as plain, bounded data (OP-35, OP-57). Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from agents.opamp.attributes import attributes, clean, clean_words
from agents.opamp.opamp_pb2 import AvailableComponents, ComponentDetails, ComponentHealth

MAX_DEPTH = 64
MAX_NODES = 5_000
MAX_WHY_CHARS = 500
_PASSING = frozenset({"Starting", "Stopping", "Stopped", "None"})
MAX_ERROR_CHARS = 64 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(unix_nanos: int) -> datetime | None:
    """Return a fixed64 time exactly to the microsecond, without floats; None for 0.

    The largest one is in the year 2554, which PostgreSQL holds.
    """
    if unix_nanos == 0:
        return None
    return _EPOCH + timedelta(microseconds=unix_nanos // 1000)


def health_tree(message: ComponentHealth) -> dict[str, Any]:
    """Return the tree: healthy, status, last_error, OpAMP's two times in nanoseconds, attributes,
    and below `components` the same for each by name.

    Beyond 64 levels or 5,000 components the rest is left out and marked with `cut`.
    """
    root: dict[str, Any] = {}
    left = MAX_NODES
    stack = [(message, root, 1)]
    while stack:
        health, node, depth = stack.pop()
        _fill(health, node)
        below = health.component_health_map
        if not below:
            continue
        names = sorted(below)
        kept = [] if depth >= MAX_DEPTH else names[:left]
        if len(kept) < len(names):
            node["cut"] = len(names) - len(kept)
        left -= len(kept)
        components = node["components"] = {}
        for name in kept:
            child = components[clean(name, 256)] = {}
            stack.append((below[name], child, depth + 1))
    return root


def sick_component(message: ComponentHealth) -> str:
    """Return the first component below an agent that is not well, as in `exporter otlp/eu:
    connection refused`; "" when none is. Of a chain of sick ones it is the innermost, which is the
    cause; one that starts or stops is not sick."""
    left = MAX_NODES
    found: tuple[str, ComponentHealth] | None = None
    stack = _below(message)
    while stack and left:
        name, health = stack.pop()
        left -= 1
        if _is_sick(health):
            found, stack = (name, health), []  # from here on only what is inside it
        stack += _below(health)
    if found is None:
        return ""
    name, health = found
    why = clean(health.last_error or health.status or "unhealthy", MAX_WHY_CHARS)
    return f"{clean(name, 200).replace(':', ' ', 1)}: {why}"


def _below(health: ComponentHealth) -> list[tuple[str, ComponentHealth]]:
    """Return what is below, the last name first, to be taken from the end."""
    below = health.component_health_map
    return [(name, below[name]) for name in sorted(below, reverse=True)[-MAX_NODES:]]


def _is_sick(health: ComponentHealth) -> bool:
    return not health.healthy and health.status.removeprefix("Status") not in _PASSING


def _fill(health: ComponentHealth, node: dict[str, Any]) -> None:
    node["healthy"] = health.healthy
    if status := health.status:
        node["status"] = clean(status, 256)
    if error := health.last_error:
        node["last_error"] = clean_words(error, 4096)
    if nanos := health.start_time_unix_nano:
        node["start_time_unix_nano"] = nanos
    if nanos := health.status_time_unix_nano:
        node["status_time_unix_nano"] = nanos
    if health.attributes:
        node["attributes"] = attributes(health.attributes)


def component_details(message: AvailableComponents) -> dict[str, Any]:
    """Return the components as reported: {"receivers": {"components": {"otlp": {...}}}}."""
    left = [MAX_NODES]
    return {
        clean(name, 256): _details(message.components[name], left, 1)
        for name in sorted(message.components)[:256]
    }


def _details(message: ComponentDetails, left: list[int], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if message.metadata:
        found["metadata"] = attributes(message.metadata)
    if message.sub_component_map and depth < 8:
        kept = sorted(message.sub_component_map)[: left[0]]
        left[0] -= len(kept)
        found["components"] = {
            clean(name, 256): _details(message.sub_component_map[name], left, depth + 1)
            for name in kept
        }
    return found


def component_names(details: dict[str, Any]) -> list[str]:
    """Return the flat names that selectors match, e.g. "processor:transform"."""
    names = set()
    for kind, below in details.items():
        singular = kind[:-1] if kind.endswith("s") else kind
        names |= {f"{singular}:{name}" for name in below.get("components", {})}
    return sorted(names)
