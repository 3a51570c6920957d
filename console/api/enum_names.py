"""How the schema of the API names the sets of words in `console.api.shapes.words`. Read by the settings,
so nothing of Django is imported here."""

from __future__ import annotations

_SETS = (
    "AGENT_KINDS",
    "DOCUMENT_KINDS",
    "ROLLBACK_KINDS",
    "DELIVERY_STATES",
    "ROLLOUT_STATES",
    "PHASE_STATES",
    "APPROVAL_STATES",
    "ROLLBACK_STATES",
    "ROLLBACK_TARGET_STATES",
    "QUARANTINE_OUTCOMES",
    "MEASUREMENT_OUTCOMES",
    "READINESS_LEVELS",
    "GATE_KINDS",
    "GATE_LEVELS",
)
ENUM_NAMES = {"ConfigStatus": "console.api.shapes.words.CONFIG_STATUSES"} | {
    name.title().replace("_", "").removesuffix("s"): f"console.api.shapes.words.{name}"
    for name in _SETS
}
