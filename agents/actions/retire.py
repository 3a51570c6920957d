"""Retire agents that will not come back: out of counts and selections, history kept.

A connected agent is never retired, and a retired one is back the moment it connects (the gateway
takes it over and clears `retired_at`; `agents.gateway.registry.take_over_sql`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.models import Agent
from agents.models.querysets import AgentQuerySet
from console.lib import hints
from console.lib.problems import FieldError, Invalid, Missing, Refused, Stale
from console.lib.texts import Text, text, to_column

SAMPLES = 10
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Retirable:
    """Who of a selection would be retired: `agents` of the `matched`; the `connected` never are."""

    matched: int
    connected: int
    agents: int
    samples: tuple[str, ...]


def retire(*, agent_id: int, by: Actor, reason: str, now: datetime | None = None) -> Agent:
    """Retire one agent. Raises Denied, Missing, and Refused when it is connected or retired."""
    require(by, "agents.retire")
    reason, now = _checked(reason), now or timezone.now()
    with transaction.atomic():
        agent: Agent | None = Agent.objects.filter(pk=agent_id).first()
        if agent is None:
            raise Missing("agent.missing")
        if agent.retired_at is not None:
            raise Refused("retire.already", by=agent.retired_by)
        if not retire_now([agent_id], by=by.name, why=reason, now=now):
            raise Refused("retire.connected", code="connected")
        audit.record(
            actor=by,
            act="agents.retire",
            object_kind="agent",
            object_id=agent_id,
            object_name=str(agent),
            reason=reason,
        )
    agent.refresh_from_db()
    return agent


def retirable(selection: AgentQuerySet, not_seen_for: timedelta | None, now: datetime) -> Retirable:
    """Count who of these agents can be retired. Reads only."""
    connected = selection.filter(status__connected=True).count()
    found = gone(selection, None if not_seen_for is None else now - not_seen_for)
    names = found.order_by("name", "pk").values_list("name", "instance_uid")[:SAMPLES]
    return Retirable(
        matched=selection.count(),
        connected=connected,
        agents=found.count(),
        samples=tuple(name or str(uid) for name, uid in names),
    )


def retire_matching(
    *,
    condition: Q,
    selector: str,
    seen_count: int,
    by: Actor,
    reason: str,
    not_seen_for: timedelta | None = None,
    now: datetime | None = None,
) -> int:
    """Retire every living agent that matches and is not connected. Returns how many.

    `seen_count` is the number that the person saw: when it is another now, Stale is raised and
    nothing is done. Raises Denied, Invalid.
    """
    require(by, "agents.retire")
    reason, now = _checked(reason), now or timezone.now()
    before = None if not_seen_for is None else now - not_seen_for
    with transaction.atomic():
        selection = Agent.objects.visible_to(by).matching(condition)
        ids = list(gone(selection, before).values_list("pk", flat=True))
        retired = retire_now(ids, by=by.name, why=reason, now=now, before=before)
        if len(retired) != seen_count:
            raise Stale(
                "retire.other_count",
                count=len(retired),
                seen=seen_count,
                code="count_changed",
            )
        audit.record(
            actor=by,
            act="agents.retire",
            object_kind="selector",
            object_id=selector[:100],
            object_name=selector[:200],
            reason=reason,
            details={"agents": len(retired), "samples": retired[:100]},
        )
    return len(retired)


def gone(selection: AgentQuerySet, before: datetime | None) -> AgentQuerySet:
    """Narrow living agents to those without a connection, last seen before a time if one is given."""
    found = selection.living().filter(status__connected=False)
    if before is None:
        return found
    seen = Coalesce("status__last_seen_at", "status__disconnected_at", "first_seen_at")
    narrowed: AgentQuerySet = found.alias(seen_at=seen).filter(seen_at__lt=before)
    return narrowed


def retire_now(
    agent_ids: Sequence[int],
    *,
    by: Text | str,
    why: Text | str,
    now: datetime,
    before: datetime | None = None,
) -> list[int]:
    """Retire those of these agents that are still gone; return them. Call inside a transaction.

    Each status row is locked and read again: whoever connects in this moment is either seen here,
    or finds itself retired when the gateway looks, right after its own lock.
    """
    values: dict[str, Any] = {
        "ids": sorted(agent_ids),
        "now": now,
        "by": to_column(by),
        "why": to_column(why),
        "before": before,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RETIRE, values)
        retired = sorted(row[0] for row in cursor.fetchall())
    if retired:
        transaction.on_commit(lambda: hints.mark_dirty("fleet", "agents"))
    return retired


def _checked(reason: str) -> str:
    given = reason.strip()
    if not given or len(given) > MAX_REASON or "\x00" in given:
        message = text("reason.wanted", most=MAX_REASON)
        raise Invalid(message, errors=[FieldError("reason", message)])
    return given


_RETIRE = """
    WITH due AS (
        SELECT s.agent_id FROM unnest(%(ids)s::bigint[]) AS w(id)
        JOIN agents_agentstatus s ON s.agent_id = w.id JOIN agents_agent a ON a.id = w.id
        WHERE NOT s.connected AND a.retired_at IS NULL
          AND (%(before)s::timestamptz IS NULL
               OR coalesce(s.last_seen_at, s.disconnected_at, a.first_seen_at) < %(before)s)
        ORDER BY s.agent_id FOR NO KEY UPDATE OF s
    ), gone AS (
        UPDATE agents_agent a SET retired_at = %(now)s, retired_by = %(by)s, retired_why = %(why)s
        FROM due WHERE a.id = due.agent_id
        RETURNING a.id
    ), said AS (
        INSERT INTO agents_agentevent (agent_id, at, kind, details)
        SELECT id, %(now)s, 'retired', jsonb_build_object('by', %(by)s::text, 'why', %(why)s::text)
        FROM gone
    ), heard AS (
        INSERT INTO agents_news (topic, agent_id)
        SELECT d.topic, d.agent_id FROM agents_desired d JOIN gone ON gone.id = d.agent_id
        WHERE d.topic <> ''
    )
    SELECT id FROM gone
"""
