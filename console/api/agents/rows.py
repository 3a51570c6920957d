"""Agents as the API says them: one flat object each, read without building model objects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from agents.models import ConfigStatus, GatewayLease
from agents.models.querysets import AgentQuerySet
from agents.models.status import SILENT
from console.api.shapes.agents import Agent
from console.lib.paging import walk

CHUNK = 1000
_FIELDS = (
    "pk",
    "instance_uid",
    "name",
    "kind",
    "version",
    "labels",
    "first_seen_at",
    "retired_at",
    "status_word",
    "status__connected",
    "status__gateway__renewed_at",
    "status__gateway__stopped_at",
    "status__connected_at",
    "status__last_seen_at",
    "status__left_reason",
    "status__transport",
    "status__healthy",
    "status__health_error",
    "status__sick_component",
    "status__config_hash",
    "status__config_status",
    "status__config_error",
    "status__running_hash",
    "status__wedged_since",
    "desired__config_hash",
)
_SHOWN_CHARACTERS = 1024


def rows(
    agents: AgentQuerySet, now: datetime, *, after: int, limit: int
) -> Iterator[tuple[int, Agent]]:
    """Yield up to `limit` agents (read `with_status_word`) by ascending primary key,
    each with that key."""
    for values in walk(agents.values(*_FIELDS), ["pk"], limit, after=[after], chunk=CHUNK):
        yield values["pk"], row(values, now)


def one(agents: AgentQuerySet, now: datetime) -> Agent:
    """Return the one agent that a queryset means."""
    return row(agents.values(*_FIELDS).get(), now)


def row(values: dict[str, Any], now: datetime) -> Agent:
    """Return one agent. `config_hash` is what it runs by its own word; `config_status` is its
    word about `reported_config_hash`, the last one it was offered."""
    return {
        "id": str(values["instance_uid"]),
        "name": values["name"] or str(values["instance_uid"]),
        "kind": values["kind"],
        "version": values["version"],
        "labels": values["labels"],
        "status": values["status_word"],
        "connected": _is_connected(values, now),
        "healthy": values["status__healthy"],
        "health_error": shown(values["status__health_error"]),
        "sick_component": shown(values["status__sick_component"]),
        "config_hash": values["status__running_hash"] or "",
        "desired_config_hash": values["desired__config_hash"] or "",
        "config_status": config_status(values["status__config_status"]),
        "config_error": shown(values["status__config_error"]),
        "reported_config_hash": values["status__config_hash"] or "",
        "transport": values["status__transport"] or "",
        "connected_at": values["status__connected_at"],
        "last_seen_at": values["status__last_seen_at"],
        "no_word_since": _no_word_since(values),
        "refuses_everything_since": values["status__wedged_since"] or "",
        "first_seen_at": values["first_seen_at"],
        "retired_at": values["retired_at"],
    }


def _no_word_since(values: dict[str, Any]) -> datetime | None:
    is_silent = not values["status__connected"] and values["status__left_reason"] == SILENT
    return values["status__last_seen_at"] if is_silent else None


def config_status(number: int | None) -> str | None:
    """Return the agent's word as text; None when it never reported one."""
    return None if number is None else ConfigStatus(number).name.lower()


def _is_connected(values: dict[str, Any], now: datetime) -> bool:
    renewed_at = values["status__gateway__renewed_at"]
    if not values["status__connected"] or renewed_at is None:
        return False
    return values["status__gateway__stopped_at"] is None and now - renewed_at < GatewayLease.LIFE


def shown(text: str | None) -> str:
    """Cut what an agent said to what is shown per value (security.md R41)."""
    return (text or "")[:_SHOWN_CHARACTERS]
