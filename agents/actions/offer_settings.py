"""Offer connection settings to agents: OpAMP itself, own telemetry, other connections (OP-37).

Settings are complete or refused (security.md R25). The same settings again are a new offer with a
new hash, because agents skip a hash they have seen (OP-41).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.actions.set_desired import next_change, take_push_lock
from agents.actions.settings_form import read_settings
from agents.models import Agent
from agents.opamp.settings import settings_hash
from console.lib import hints
from console.lib.problems import Refused


def offer_settings(
    *,
    agent_ids: Iterable[int],
    settings: Mapping[str, Any],
    by: Actor,
    reason: str = "",
    now: datetime | None = None,
) -> str:
    """Make these the settings of the agents. Returns the hash of the offer.

    `settings` is the plain form of `agents.opamp.settings`. An agent gets of it what it accepts.
    Raises Denied, Invalid for incomplete settings, Refused for an offer that would harm: without
    a certificate a supervisor stops verifying the server (interop.md section 2). A certificate that an
    agent was offered stays part of its settings when these name none: to leave it out is to take it
    away (OP-38).
    """
    require(by, "agents.settings")
    read_settings(settings)
    ids = sorted(agent_ids)
    _refuse_harm(ids, settings)
    at = now or timezone.now()
    offer_hash = settings_hash(settings, secrets.token_hex(8))
    with transaction.atomic(), connection.cursor() as cursor:
        take_push_lock(cursor)
        cursor.execute(
            """
            INSERT INTO agents_desiredsettings AS d (agent_id, settings, settings_hash, change, by, at)
            SELECT a.id, %s::jsonb, %s, %s, %s, %s FROM agents_agent a WHERE a.id = ANY(%s)
            ON CONFLICT (agent_id) DO UPDATE SET
                settings = CASE
                    WHEN excluded.settings ? 'opamp' AND d.settings #> '{opamp,certificate}' IS NOT NULL
                    THEN jsonb_set(excluded.settings, '{opamp}', jsonb_build_object('certificate',
                             d.settings #> '{opamp,certificate}') || (excluded.settings -> 'opamp'))
                    ELSE excluded.settings END,
                settings_hash = excluded.settings_hash, change = excluded.change,
                by = excluded.by, at = excluded.at
            """,
            [json.dumps(settings), offer_hash, next_change(cursor), by.name, at, ids],
        )
        audit.record(
            actor=by,
            act="agents.settings",
            object_kind="connection_settings",
            object_id=offer_hash,
            reason=reason,
            details={"agents": len(ids), "classes": sorted(settings)},
        )
        transaction.on_commit(lambda: hints.publish(hints.SETTINGS))
    return offer_hash


def withdraw_offer(
    *,
    agent_id: int,
    offer_hash: str,
    settings: Mapping[str, Any],
    settings_hash: str,
    by: Actor,
) -> bool:
    """Take an offer back that an agent could not use, or it would be offered it with each connection.
    Want what was wanted before, under the hash it had: an agent that uses it is not offered it again.

    `settings` {} for nothing. False when something else has been offered since. Raises Denied.
    """
    require(by, "agents.settings")
    with transaction.atomic(), connection.cursor() as cursor:
        take_push_lock(cursor)
        cursor.execute(
            """
            UPDATE agents_desiredsettings SET settings = %s::jsonb, settings_hash = %s, change = %s
            WHERE agent_id = %s AND settings_hash = %s
            """,
            [json.dumps(settings), settings_hash, next_change(cursor), agent_id, offer_hash],
        )
        transaction.on_commit(lambda: hints.publish(hints.SETTINGS))
        return bool(cursor.rowcount)


def _refuse_harm(agent_ids: list[int], settings: Mapping[str, Any]) -> None:
    opamp = settings.get("opamp") or {}
    is_tls = str(opamp.get("destination_endpoint", "")).startswith(("wss://", "https://"))
    if not is_tls or opamp.get("certificate"):
        return
    found = (
        Agent.objects.filter(pk__in=agent_ids, kind=Agent.Kind.SUPERVISOR)
        .exclude(desired_settings__settings__opamp__has_key="certificate")
        .first()
    )
    if found is not None:
        raise Refused("settings.certificate_needed", name=found)
