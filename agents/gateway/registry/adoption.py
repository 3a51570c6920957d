"""From the row of an agent back to the state a gateway works with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from agents.gateway.connections import Held
from agents.opamp.server_facts import ServerFacts

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def restore(row: Mapping[str, Any], uid: bytes, facts: ServerFacts) -> Held:
    """Return the state as it was last stored, not connected."""
    agent = Held(uid, row["id"], row["session_id"])
    agent.known = row["known"]
    agent.capabilities = row["capabilities"]
    agent.accepts_custom = frozenset(row["custom_capabilities"])
    agent.components_hash = row["components_hash"]
    agent.sequence_num = row["sequence_num"]
    agent.healthy = row["healthy"]
    agent.health_status = row["health_status"]
    agent.health_error = row["health_error"]
    agent.sick_component = row["sick_component"]
    agent.health_changed_at = _seconds(row["health_changed_at"])
    agent.started_at = _nanos(row["started_at"])
    agent.config_hash = row["config_hash"]
    agent.config_status = row["config_status"]
    agent.config_error_hash = row["config_error_md5"] if row["has_config_error"] else ""
    agent.running_hash, agent.former_hash = row["running_hash"], row["former_hash"]
    agent.refused_hash, agent.wedged_since = row["refused_hash"], row["wedged_since"]
    agent.config_losses = row["config_losses"]
    agent.config_lost_at = _seconds(row["config_lost_at"])
    agent.effective_hash = row["effective_hash"]
    agent.settings_offered_hash = row["settings_offered_hash"]
    agent.settings_hash = row["settings_hash"]
    agent.settings_status = row["settings_status"]
    agent.settings_error = row["settings_error"]
    if row["ordered_uid"] is not None:
        agent.ordered_uid = row["ordered_uid"].bytes
    if row["settings"] is not None:
        agent.wanted_settings = facts.offer(row["settings"], row["wanted_settings_hash"])
    return agent


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _nanos(moment: datetime | None) -> int:
    """Return nanoseconds since 1970, exact to the microsecond (OP-35)."""
    if moment is None:
        return 0
    passed = moment - _EPOCH
    return ((passed.days * 86400 + passed.seconds) * 1_000_000 + passed.microseconds) * 1000
