"""A host that was set up anew speaks under a new uid: who replaces whom.

Same `host.name`, same `service.name`, and the older agent is gone. Said on both pages; labels and
history follow when a person or a retirement rule says so (`agents.actions.take_over`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts.actor import SYSTEM
from agents import retiring
from agents.actions.take_over import take_over
from console.lib.texts import text

# The predecessor's connection may be noticed as lost only after its successor is here.
PATIENCE = timedelta(minutes=10)
BATCH = 500
DEPTH = 20


def recognise(now: datetime) -> int:
    """Find whom new agents replace; let rules take over. Returns how many were recognised.

    Costs what is new: an agent is looked at until it has replaced somebody or is ten minutes old.
    Whoever was taken for replaced and is connected after all is left alone again.
    """
    values: dict[str, Any] = {"now": now, "batch": BATCH, "settled": now - PATIENCE}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_STILL_HERE)
        cursor.execute(_RECOGNISE, values)
        found = [row[0] for row in cursor.fetchall()]
        cursor.execute(_SOUGHT, values)
    _take_over(found, now)
    return len(found)


def lineage(agent_id: int) -> list[int]:
    """Return an agent and those whose history it took over, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_LINEAGE, {"id": agent_id, "depth": DEPTH})
        return [row[0] for row in cursor.fetchall()]


def _take_over(agent_ids: list[int], now: datetime) -> None:
    rules = retiring.in_turn() if agent_ids else []
    for rule in rules:
        if not rule.take_over:
            continue
        mine = retiring.under(rule, rules).filter(pk__in=agent_ids)
        for pk in mine.order_by("pk").values_list("pk", flat=True):
            take_over(
                agent_id=pk, by=SYSTEM, reason=text("retire.by_rule", name=rule.name), now=now
            )


_STILL_HERE = """
    UPDATE agents_agent a SET replaces_id = NULL
    FROM agents_agentstatus s
    WHERE a.replaces_id IS NOT NULL AND a.took_over_at IS NULL
      AND s.agent_id = a.replaces_id AND s.connected
"""
# Those that nobody has looked at yet, oldest first.
_FRESH = """
    SELECT id, first_seen_at, left(labels ->> 'host.name', 200) AS host,
           left(labels ->> 'service.name', 200) AS service
    FROM agents_agent WHERE kin_sought_at IS NULL AND described_at IS NOT NULL
    ORDER BY id LIMIT %(batch)s
"""
_RECOGNISE = f"""
    WITH fresh AS MATERIALIZED ({_FRESH}), found AS (
        SELECT DISTINCT ON (f.id) f.id, o.id AS old_id
        FROM fresh f
        JOIN agents_agent o ON left(o.labels ->> 'host.name', 200) = f.host
            AND left(o.labels ->> 'service.name', 200) = f.service
            AND (o.first_seen_at, o.id) < (f.first_seen_at, f.id)
        JOIN agents_agentstatus s ON s.agent_id = o.id AND NOT s.connected
        JOIN agents_agentstatus mine ON mine.agent_id = f.id
        WHERE f.host <> '' AND f.service <> ''
          AND coalesce(mine.last_seen_at, f.first_seen_at)
              >= coalesce(s.last_seen_at, o.first_seen_at)
          AND NOT EXISTS (SELECT FROM agents_agent x WHERE x.replaces_id = o.id)
        ORDER BY f.id, s.last_seen_at DESC NULLS LAST, o.id DESC
    ), pairs AS (
        SELECT DISTINCT ON (old_id) id, old_id FROM found ORDER BY old_id, id
    ), kept AS (
        UPDATE agents_agent a SET replaces_id = p.old_id
        FROM pairs p WHERE a.id = p.id AND a.replaces_id IS NULL
        RETURNING a.id, a.replaces_id, a.instance_uid
    ), said AS (
        INSERT INTO agents_agentevent (agent_id, at, kind, details)
        SELECT k.id, %(now)s, 'replaces', jsonb_build_object('uid', o.instance_uid::text)
        FROM kept k JOIN agents_agent o ON o.id = k.replaces_id
        UNION ALL
        SELECT k.replaces_id, %(now)s, 'replaced', jsonb_build_object('uid', k.instance_uid::text)
        FROM kept k
    )
    SELECT id FROM kept ORDER BY id
"""  # noqa: S608  constants of this module
_SOUGHT = f"""
    WITH fresh AS MATERIALIZED ({_FRESH})
    UPDATE agents_agent a SET kin_sought_at = %(now)s FROM fresh f
    WHERE a.id = f.id AND (a.replaces_id IS NOT NULL OR a.first_seen_at < %(settled)s)
"""  # noqa: S608  constants of this module
_LINEAGE = """
    WITH RECURSIVE line AS (
        SELECT id, replaces_id, took_over_at, 1 AS depth FROM agents_agent WHERE id = %(id)s
        UNION ALL
        SELECT a.id, a.replaces_id, a.took_over_at, line.depth + 1
        FROM line JOIN agents_agent a ON a.id = line.replaces_id
        WHERE line.took_over_at IS NOT NULL AND line.depth < %(depth)s
    )
    SELECT id FROM line ORDER BY depth
"""
