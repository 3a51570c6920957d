"""Would a collector start with this configuration? The same questions a real one asks, in its words.

Known component types, known keys and values of the usual components, references between pipelines
and components. Nothing else is checked: what only a running collector would notice (a port that is
taken, an endpoint that is away) is accepted, as it is by a real supervisor.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping

import yaml

_SECTIONS = ("receivers", "processors", "exporters", "connectors", "extensions")
_TOP_LEVEL = (*_SECTIONS, "service")
_SIGNALS = ("traces", "metrics", "logs", "profiles")
_DURATION = re.compile(r"^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$|^0$")
_INTRO = "failed to get config: cannot unmarshal the configuration: "
_LIST = "decoding failed due to the following error(s):\n\n"

# By default a stock collector has these; an agent's own list replaces it.
COMPONENTS: dict[str, tuple[str, ...]] = {
    "receivers": ("filelog", "hostmetrics", "nop", "otlp", "prometheus"),
    "processors": ("attributes", "batch", "filter", "memory_limiter", "resource", "transform"),
    "exporters": ("debug", "nop", "otlp", "otlphttp"),
    "connectors": ("forward",),
    "extensions": ("health_check", "opamp", "zpages"),
}

Check = Callable[[object], str | None]


def _one_of(kind: str, *allowed: str) -> Check:
    def check(value: object) -> str | None:
        return None if str(value).lower() in allowed else f'unknown {kind} "{value}"'

    return check


def _duration(value: object) -> str | None:
    if isinstance(value, str) and _DURATION.match(value):
        return None
    return f'time: invalid duration "{value}"'


def _unsigned(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return None
    return f"expected type 'uint32', got unconvertible type '{type(value).__name__}'"


def _any(value: object) -> str | None:
    return None


_DEBUG: dict[str, Check] = {
    "verbosity": _one_of("metrics level", "none", "basic", "normal", "detailed"),
    "sampling_initial": _unsigned,
    "sampling_thereafter": _unsigned,
    "use_internal_logger": _any,
    "output_paths": _any,
    "sending_queue": _any,
}
_BATCH: dict[str, Check] = {
    "timeout": _duration,
    "send_batch_size": _unsigned,
    "send_batch_max_size": _unsigned,
    "metadata_keys": _any,
    "metadata_cardinality_limit": _unsigned,
}
_MEMORY_LIMITER: dict[str, Check] = {
    "check_interval": _duration,
    "limit_mib": _unsigned,
    "spike_limit_mib": _unsigned,
    "limit_percentage": _unsigned,
    "spike_limit_percentage": _unsigned,
}
# Components whose keys we know; those of others are accepted as they are.
_SETTINGS: dict[tuple[str, str], dict[str, Check]] = {
    ("exporters", "debug"): _DEBUG,
    ("exporters", "nop"): {},
    ("receivers", "nop"): {},
    ("processors", "batch"): _BATCH,
    ("processors", "memory_limiter"): _MEMORY_LIMITER,
}


def refusal(
    files: Mapping[str, bytes], components: Mapping[str, tuple[str, ...]] = COMPONENTS
) -> str | None:
    """Return the error a collector would end with, or None when it would run.

    `files` is the offered config map; a collector merges its files, top-level key by key.
    """
    return _refusal(tuple(files.items()), tuple(components.items()))


# A whole fleet is offered the same few configurations.
@functools.lru_cache(maxsize=64)
def _refusal(
    files: tuple[tuple[str, bytes], ...], components: tuple[tuple[str, tuple[str, ...]], ...]
) -> str | None:
    merged: dict[str, object] = {}
    for name, body in files:
        try:
            document = yaml.safe_load(body)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            return f"cannot parse remote config named {name}: yaml: {_first_line(error)}"
        if document is None:
            continue
        if not isinstance(document, dict):
            return f"{_INTRO}'{name}' expected a map, got '{type(document).__name__}'"
        for key, value in document.items():
            old = merged.get(str(key))
            both = isinstance(old, dict) and isinstance(value, dict)
            merged[str(key)] = {**old, **value} if both else value  # type: ignore[dict-item]
    return _refusal_of(merged, dict(components))


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _refusal_of(config: dict[str, object], components: Mapping[str, tuple[str, ...]]) -> str | None:
    unknown = sorted(set(config) - set(_TOP_LEVEL))
    if unknown:
        return f"{_INTRO}{_LIST}'' has invalid keys: {', '.join(unknown)}"
    for section in _SECTIONS:
        found = config.get(section)
        if found is None:
            continue
        if not isinstance(found, dict):
            return f"{_INTRO}{_LIST}'{section}' expected a map, got '{type(found).__name__}'"
        for component_id, settings in found.items():
            error = _component_error(section, str(component_id), settings, components)
            if error is not None:
                return f"{_INTRO}{_LIST}'{section}' {error}"
    return _service_error(config)


def _component_error(
    section: str,
    component_id: str,
    settings: object,
    components: Mapping[str, tuple[str, ...]],
) -> str | None:
    kind = component_id.partition("/")[0]
    valid = components.get(section, ())
    if kind not in valid:
        return (
            f'unknown type: "{kind}" for id: "{component_id}" (valid values: [{" ".join(valid)}])'
        )
    if settings is None:
        return None
    reading = f'error reading configuration for "{component_id}": {_LIST}'
    if not isinstance(settings, dict):
        return f"{reading}'' expected a map, got '{type(settings).__name__}'"
    checks = _SETTINGS.get((section, kind))
    if checks is None:
        return None
    unknown = sorted(set(map(str, settings)) - set(checks))
    if unknown:
        return f"{reading}'' has invalid keys: {', '.join(unknown)}"
    for key, value in settings.items():
        error = checks[str(key)](value)
        if error is not None:
            return f"{reading}'{key}' {error}"
    return None


def _service_error(config: dict[str, object]) -> str | None:
    service = config.get("service")
    pipelines = service.get("pipelines") if isinstance(service, dict) else None
    if not isinstance(service, dict) or not isinstance(pipelines, dict) or not pipelines:
        return "invalid configuration: service::pipelines: service must have at least one pipeline"
    for extension in _names(service.get("extensions")):
        if extension not in _section(config, "extensions"):
            return (
                f'invalid configuration: service::extensions: references extension "{extension}" '
                "which is not configured"
            )
    for pipeline_id, pipeline in pipelines.items():
        error = _pipeline_error(str(pipeline_id), pipeline, config)
        if error is not None:
            return f"invalid configuration: service::pipelines::{pipeline_id}: {error}"
    return None


def _pipeline_error(pipeline_id: str, pipeline: object, config: dict[str, object]) -> str | None:
    signal = pipeline_id.partition("/")[0]
    if signal not in _SIGNALS:
        return f'unknown signal "{signal}"'
    used = pipeline if isinstance(pipeline, dict) else {}
    for section in ("receivers", "exporters"):
        if not _names(used.get(section)):
            return f"must have at least one {section[:-1]}"
    for section in ("receivers", "processors", "exporters"):
        known = {*_section(config, section)}
        if section != "processors":
            known |= {*_section(config, "connectors")}
        for name in _names(used.get(section)):
            if name not in known:
                return f'references {section[:-1]} "{name}" which is not configured'
    return None


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []


def _section(config: dict[str, object], name: str) -> dict[str, object]:
    section = config.get(name)
    return {str(k): v for k, v in section.items()} if isinstance(section, dict) else {}
