"""From agents and their changes to the rows of one flush. No database here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from agents.gateway.connections import Held
from agents.models import Quarantine
from agents.opamp.attributes import clean, describe
from agents.opamp.opamp_pb2 import (
    AgentDescription,
    AvailableComponents,
    EffectiveConfig,
)
from agents.opamp.redact import Redactor
from agents.opamp.state import Changes
from agents.opamp.trees import component_details, component_names, health_tree, moment
from console.lib.texts import text, to_column

_OUTCOMES = Quarantine.Outcome
MAX_EFFECTIVE_CHARS = 4 * 1024 * 1024
MAX_EFFECTIVE_FILES = 256
Row = tuple[Any, ...]
Taken = list[tuple[Held, Changes]]


@dataclass(slots=True)
class Batch:
    """The rows of one flush, by statement. `visible` are agents whose news others ask for."""

    status: list[Row] = field(default_factory=list)
    settings: list[Row] = field(default_factory=list)
    descriptions: list[Row] = field(default_factory=list)
    capabilities: list[Row] = field(default_factory=list)
    bodies: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    refusals: list[Row] = field(default_factory=list)
    well: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    components: list[Row] = field(default_factory=list)
    ordered_uids: list[Row] = field(default_factory=list)
    requests: list[Row] = field(default_factory=list)
    visible: list[int] = field(default_factory=list)

    def without(self, agent_ids: set[int]) -> None:
        """Drop what only the owner of an agent may write; its own words about deliveries stay."""
        for rows in (self.settings, self.descriptions, self.capabilities, self.bodies, self.events):
            rows[:] = [row for row in rows if row[0] not in agent_ids]


def at(seconds: float | None) -> datetime | None:
    """Return a time in seconds as an aware datetime; None stays None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def dumps(value: object) -> str:
    """Return JSON text that jsonb takes."""
    return orjson.dumps(value).decode()


def collect(
    taken: Iterable[tuple[Held, Changes]],
    gateway_id: UUID,
    now: float,
    redactor: Redactor,
) -> Batch:
    """Return the rows for these agents, ordered by agent id: one lock order for all writers."""
    batch = Batch()
    when = at(now)
    for agent, changes in sorted(taken, key=lambda pair: pair[0].id):
        if changes.bodies:
            batch.bodies += _bodies(agent, changes.bodies, when, redactor)
        batch.status.append(_status(agent, gateway_id, changes, when))
        if changes.visible:
            batch.visible.append(agent.id)
        if changes.description is not None:
            batch.descriptions.append(_description(agent, changes.description, when))
        if changes.capabilities:
            batch.capabilities.append(_capabilities(agent))
        if changes.settings:
            batch.settings.append(_settings(agent, when))
        if changes.ordered_uid and agent.ordered_uid is not None:
            batch.ordered_uids.append((UUID(bytes=agent.ordered_uid), agent.id, when))
        _add_facts(batch, agent, changes, when)
    return batch


def _add_facts(batch: Batch, agent: Held, changes: Changes, when: datetime | None) -> None:
    for config_hash, fact in changes.deliveries.items():
        batch.deliveries.append(
            (
                agent.id,
                config_hash,
                at(fact.sent_at),
                at(fact.acknowledged_at),
                at(fact.settled_at),
                fact.outcome.value if fact.outcome is not None else None,
                fact.error,
                fact.confirmed_by,
            )
        )
    for config_hash, reason in changes.refusals.items():
        batch.refusals.append((agent.id, config_hash, _OUTCOMES.FAILED.value, reason, when))
    for config_hash, runs in changes.fallen.items():
        reason = to_column(text("quarantine.fell_back", to=runs[:12]))
        batch.refusals.append((agent.id, config_hash, _OUTCOMES.FELL_BACK.value, reason, when))
    batch.well += [(agent.id, config_hash, when) for config_hash in sorted(changes.well)]
    for digest, asked in sorted(changes.requests.items()):
        batch.requests.append((agent.id, digest, asked.csr, asked.principal, at(asked.at)))
    for seconds, kind, details in changes.events:
        batch.events.append((agent.id, at(seconds), kind, dumps(details)))
    if changes.components is not None:
        details = component_details(AvailableComponents.FromString(changes.components))
        batch.components.append(
            (agent.components_hash, dumps(component_names(details)), dumps(details), when)
        )


def _status(agent: Held, gateway_id: UUID, changes: Changes, when: datetime | None) -> Row:
    return (
        agent.id,
        gateway_id,
        agent.connected,
        at(agent.left_at),
        at(agent.last_seen) if agent.last_seen else when,
        agent.sequence_num,
        agent.healthy,
        agent.health_status,
        agent.health_error,
        agent.sick_component,
        at(agent.health_changed_at),
        moment(agent.started_at),
        agent.config_hash,
        agent.config_status,
        changes.config_error,
        when if changes.config_error is not None else None,
        agent.running_hash,
        agent.effective_hash,
        agent.left_reason[:200],
        agent.former_hash,
        agent.refused_hash,
        agent.wedged_since,
        agent.config_losses,
        at(agent.config_lost_at),
    )


def _settings(agent: Held, when: datetime | None) -> Row:
    return (
        agent.id,
        agent.settings_offered_hash,
        agent.settings_hash,
        agent.settings_status,
        agent.settings_error,
        when,
    )


def _description(agent: Held, raw: bytes, when: datetime | None) -> Row:
    found = describe(AgentDescription.FromString(raw), agent.capabilities)
    return (
        agent.id,
        found.name,
        found.kind,
        found.version,
        dumps(found.identifying),
        dumps(found.non_identifying),
        dumps(found.labels),
        dumps(found.version_keys),
        when,
    )


def _capabilities(agent: Held) -> Row:
    return (
        agent.id,
        agent.capabilities,
        dumps(sorted(agent.accepts_custom)),
        agent.components_hash,
    )


def _bodies(
    agent: Held, parts: dict[str, Any], when: datetime | None, redactor: Redactor
) -> list[Row]:
    rows = []
    for part, message in parts.items():
        if part == "health":
            body = orjson.dumps(health_tree(message))
        else:
            body = orjson.dumps(effective_files(message, redactor))
        digest = hashlib.sha256(body).hexdigest()
        if part == "effective_config":
            agent.effective_hash = digest
        rows.append((agent.id, part, digest, body.decode(), when))
    return rows


def effective_files(message: EffectiveConfig, redactor: Redactor) -> dict[str, Any]:
    """Return {"files": {name: {"body", "content_type"}}} without secrets (security.md R45).

    More than 4 MiB or 256 files in all is cut and marked; `whole` then stands for all that was
    reported, so that a change behind the cut is a change. It is keyed as the marks of secrets are.
    """
    files: dict[str, Any] = {}
    left = MAX_EFFECTIVE_CHARS
    config_map = message.config_map.config_map
    names = sorted(config_map)
    is_cut = len(names) > MAX_EFFECTIVE_FILES
    for name in names[:MAX_EFFECTIVE_FILES]:
        file = config_map[name]
        text = clean(file.body.decode("utf-8", "replace"), left + 1)
        body = redactor.redact(text[:left])
        files[clean(name, 256)] = {
            "body": body,
            "content_type": clean(file.content_type, 100),
            **({"cut": True} if len(text) > left else {}),
        }
        is_cut |= len(text) > left
        left = max(left - len(text), 0)
    if not is_cut:
        return {"files": files}
    return {"files": files, "whole": _whole(message, names, redactor)}


def _whole(message: EffectiveConfig, names: list[str], redactor: Redactor) -> str:
    """Return a hash of every byte of every file."""
    config_map = message.config_map.config_map
    return redactor.fingerprint(
        piece for name in names for piece in (name.encode(), config_map[name].body)
    )
