"""What an agent says it is, as plain data: attributes, labels, a name, a kind. Pure.

Everything here was written by an agent and is cut to the limits of security.md section 8:
256 attributes, 4 KiB a value. Names of labels are the attributes' own names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from agents.opamp import bits
from agents.opamp.anyvalue_pb2 import AnyValue, KeyValue
from agents.opamp.opamp_pb2 import AgentDescription
from agents.selectors.versions import version_keys
from console.lib.secret_text import hide_secrets

MAX_ATTRIBUTES = 256
MAX_VALUE_CHARS = 4096
_MAX_DEPTH = 16
_CLIENT_ONLY = (
    bits.ACCEPTS_PACKAGES
    | bits.REPORTS_PACKAGE_STATUSES
    | bits.ACCEPTS_OTHER_SETTINGS
    | bits.REPORTS_SETTINGS_STATUS
)

Plain = str | bool | int | float | list["Plain"] | dict[str, "Plain"] | None


@dataclass(frozen=True, slots=True)
class Description:
    """An AgentDescription as it is stored; `labels` and `version_keys` without operator labels."""

    name: str
    kind: str
    version: str
    identifying: dict[str, Plain]
    non_identifying: dict[str, Plain]
    labels: dict[str, str]
    version_keys: dict[str, str]


def clean(text: str, limit: int = MAX_VALUE_CHARS) -> str:
    """Return text that PostgreSQL can hold, cut to `limit` characters."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clean_words(text: str, limit: int = MAX_VALUE_CHARS) -> str:
    """Return free text of an agent (an error, a reason) cleaned and without secrets: programs
    quote what they were given, passwords included."""
    return clean(hide_secrets(text[: 2 * limit]), limit) if text else ""


def plain(value: AnyValue, depth: int = 0) -> Plain:
    """Return an AnyValue as JSON data; bytes become hex, numbers JSON cannot hold become text."""
    kind = value.WhichOneof("value")
    if kind is None or depth > _MAX_DEPTH:
        return None
    if kind == "array_value":
        return [plain(v, depth + 1) for v in value.array_value.values[:MAX_ATTRIBUTES]]
    if kind == "kvlist_value":
        return attributes(value.kvlist_value.values, depth + 1)
    found = getattr(value, kind)
    if isinstance(found, bytes):
        return clean(found.hex())
    if isinstance(found, str):
        return clean(found)
    if isinstance(found, float) and not math.isfinite(found):
        return repr(found)
    return found  # type: ignore[no-any-return]  # bool, int or float


def attributes(pairs: Iterable[KeyValue], depth: int = 0) -> dict[str, Plain]:
    """Return attributes as a dict, at most 256 of them; of a repeated key the last one counts."""
    found: dict[str, Plain] = {}
    for pair in islice(pairs, 4 * MAX_ATTRIBUTES):
        key = clean(pair.key, 256)
        if key in found or len(found) < MAX_ATTRIBUTES:
            found[key] = plain(pair.value, depth)
    return found


def as_text(value: Plain) -> str:
    """Return a value as selectors see it: text as it is, true/false, JSON for lists and maps."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return clean(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
    return "" if value is None else str(value)


def describe(message: AgentDescription, capabilities: int) -> Description:
    """Return what to store of a description (OP-59). Identifying attributes win over others."""
    identifying = attributes(message.identifying_attributes)
    non_identifying = attributes(message.non_identifying_attributes)
    labels = labels_of(identifying, non_identifying)
    version = labels.get("service.version", "")
    return Description(
        name=_name(labels)[:200],
        kind=kind_of(labels, capabilities),
        version=version[:100],
        identifying=identifying,
        non_identifying=non_identifying,
        labels=labels,
        version_keys=version_keys(labels),
    )


def labels_of(identifying: dict[str, Plain], non_identifying: dict[str, Plain]) -> dict[str, str]:
    """Return the reported attributes as labels; `version` is service.version unless reported."""
    labels = {k: as_text(v) for k, v in {**non_identifying, **identifying}.items()}
    if labels.get("service.version"):
        labels.setdefault("version", labels["service.version"])
    return labels


def _name(labels: dict[str, str]) -> str:
    for key in ("host.name", "service.instance.id", "service.name"):
        if labels.get(key):
            return labels[key]
    return ""


def kind_of(labels: dict[str, str], capabilities: int) -> str:
    """Guess what speaks; nothing in the protocol says it (interop.md section 2).

    A supervisor takes configs and reports health and never offers packages or settings statuses;
    a collector with the extension alone only reports; SDKs name their language.
    """
    if "telemetry.sdk.language" in labels or capabilities & _CLIENT_ONLY:
        return "client"
    if capabilities & bits.ACCEPTS_REMOTE_CONFIG:
        return "supervisor" if capabilities & bits.REPORTS_HEALTH else "client"
    if capabilities & (bits.REPORTS_HEALTH | bits.REPORTS_EFFECTIVE_CONFIG):
        return "collector"
    return "unknown"
