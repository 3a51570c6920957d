"""The effective configuration of a collector under a supervisor: what was sent, and what the
supervisor and the collector's defaults add to it, in another order and another spelling."""

from __future__ import annotations

import functools

import yaml

_DEFAULTS: dict[str, dict[str, object]] = {
    "batch": {"send_batch_size": 8192, "timeout": "200ms", "metadata_keys": []},
    "debug": {"verbosity": "Basic", "sampling_initial": 2},
    "memory_limiter": {"spike_limit_mib": 0},
    "otlphttp": {"compression": "gzip", "timeout": "30s", "encoding": "proto"},
}


@functools.lru_cache(maxsize=64)
def effective(body: bytes) -> bytes:
    """Return what a collector that runs `body` reports; `body` itself when it is no mapping."""
    try:
        config = yaml.safe_load(body)
    except (yaml.YAMLError, UnicodeDecodeError):
        return body
    if not isinstance(config, dict):
        return body
    for section in ("receivers", "processors", "exporters"):
        components = config.get(section)
        if isinstance(components, dict):
            config[section] = {name: _filled(name, value) for name, value in components.items()}
    config["extensions"] = {
        **(config.get("extensions") or {}),
        "opamp": {"server": {"ws": {"endpoint": "ws://127.0.0.1:41111/v1/opamp"}}, "ppid": 4711},
    }
    service = config.get("service")
    if isinstance(service, dict):
        service["extensions"] = [*(service.get("extensions") or []), "opamp"]
        service["telemetry"] = {
            "logs": {"encoding": "json"},
            **(service.get("telemetry") or {}),
            "resource": {"service.name": "otelcol-edge"},
        }
    return yaml.safe_dump(config, sort_keys=True).encode()


def _filled(name: str, settings: object) -> object:
    if settings is not None and not isinstance(settings, dict):
        return settings
    return {**_DEFAULTS.get(str(name).partition("/")[0], {}), **(settings or {})}
