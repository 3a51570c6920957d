"""What a name under `capabilities` stands for (spec section 3). Pure."""

from __future__ import annotations

import difflib
import re

from console.lib.texts import Text, text

# OpAMP AgentCapabilities by snake-case name.
BITS = {
    "reports_status": 0x1,
    "accepts_remote_config": 0x2,
    "reports_effective_config": 0x4,
    "accepts_packages": 0x8,
    "reports_package_statuses": 0x10,
    "reports_own_traces": 0x20,
    "reports_own_metrics": 0x40,
    "reports_own_logs": 0x80,
    "accepts_opamp_connection_settings": 0x100,
    "accepts_other_connection_settings": 0x200,
    "accepts_restart_command": 0x400,
    "reports_health": 0x800,
    "reports_remote_config": 0x1000,
    "reports_heartbeat": 0x2000,
    "reports_available_components": 0x4000,
    "reports_connection_settings_status": 0x8000,
}
KINDS = ("receiver", "processor", "exporter", "extension", "connector")

_COMPONENT = re.compile(rf"(?P<type>[A-Za-z0-9][A-Za-z0-9_.-]*)_(?P<kind>{'|'.join(KINDS)})")
_WRITTEN_BY_KIND = re.compile(rf"(?P<kind>{'|'.join(KINDS)})s?[:/](?P<type>[A-Za-z0-9_.-]+)")


def canonical(name: str) -> str:
    """Return `processor:transform`, as agents' pages show it, as `transform_processor`."""
    match = _WRITTEN_BY_KIND.fullmatch(name)
    return f"{match['type']}_{match['kind']}" if match else name


def component_of(name: str) -> str | None:
    """Return `transform_processor` as `processor:transform` (ComponentSet.names), else None."""
    if name in BITS:
        return None
    match = _COMPONENT.fullmatch(name)
    return f"{match['kind']}:{match['type']}" if match else None


def is_known(name: str) -> bool:
    """Return whether a name without a value can be a capability."""
    return name in BITS or component_of(name) is not None


def unknown(name: str) -> Text:
    """Return the sentence for a name that is neither a component nor a capability bit."""
    near = difflib.get_close_matches(name, BITS, n=1)
    if near:
        return text("selector.mistyped_capability", name=name[:60], near=near[0])
    return text("selector.unknown_capability", name=name[:60])
