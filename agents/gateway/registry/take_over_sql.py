"""SQL that finds or makes agents and takes them over for this gateway. See `loader.py`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from agents.gateway.connections import Connection
from agents.models import Agent, Delivery
from agents.quarantined import quarantined_sql


@dataclass(slots=True, eq=False)
class Wanted:
    """One agent to be taken over. `keep` is the session we hold of it, if any.

    `rename_of` is the id of the agent that was ordered to use this uid on this connection. With
    `only_agent` (a personal credential) no other agent may be meant, with `only_uid` (a certificate,
    by its authority's rule) only the agent of this uid, who may be new or have been renamed since.
    `is_refused` comes back when the credential does not own the uid (security.md section 3.2).
    """

    uid: bytes
    keep: UUID | None
    fresh: UUID
    transport: str
    address: str
    binding: str
    labels: dict[str, str]
    connection: Connection
    rename_of: int | None = None
    only_agent: int | None = None
    only_uid: bytes = b""
    agent_id: int = 0
    is_new: bool = False
    is_refused: bool = False

    @property
    def is_personal(self) -> bool:
        """Whether the credential is one agent's, whatever the agent was bound to at first."""
        return self.only_agent is not None or bool(self.only_uid)


async def find_or_make(cursor: AsyncCursor[Any], wanted: list[Wanted], now: datetime) -> None:
    """Set `agent_id` of each. New uids become agents; a uid ordered earlier becomes the agent's."""
    for one in wanted:
        if one.rename_of is not None:
            await _rename(cursor, one, one.rename_of, now)
        elif one.only_uid not in (b"", one.uid):
            await _keep_to_owner(cursor, one)
    missing = await _find(cursor, [w for w in wanted if not (w.agent_id or w.is_refused)], now)
    for one in wanted:
        is_other = one.only_agent is not None and one.agent_id != one.only_agent
        one.is_refused = one.is_refused or is_other
    missing = [one for one in missing if not one.is_refused]
    if missing:
        await _make(cursor, missing, now)
        # Made at the same moment by another gateway: the row is there now.
        still = await _find(cursor, [w for w in missing if not w.agent_id], now)
        if still:
            raise RuntimeError(f"agent {still[0].uid.hex()} can neither be found nor made")


async def _keep_to_owner(cursor: AsyncCursor[Any], one: Wanted) -> None:
    """The agent speaks with another uid than its certificate has: only if it was renamed since may
    that be (OP-46)."""
    await cursor.execute(
        """
        SELECT id FROM agents_agent WHERE instance_uid = %(uid)b
        UNION ALL
        SELECT agent_id FROM agents_agentalias WHERE instance_uid = %(uid)b AND NOT is_ordered
        """,
        {"uid": UUID(bytes=one.only_uid)},
    )
    row = await cursor.fetchone()
    if row is None or one.only_agent not in (None, row[0]):
        one.is_refused = True
    else:
        one.only_agent = row[0]


async def _find(cursor: AsyncCursor[Any], wanted: list[Wanted], now: datetime) -> list[Wanted]:
    """Look uids up among agents and aliases; return those that nobody has."""
    if not wanted:
        return []
    await cursor.execute(
        """
        SELECT a.instance_uid, a.id, false, a.bound_to FROM agents_agent a
        WHERE a.instance_uid = ANY(%(uids)b)
        UNION ALL
        SELECT l.instance_uid, l.agent_id, l.is_ordered, a.bound_to FROM agents_agentalias l
        JOIN agents_agent a ON a.id = l.agent_id
        WHERE l.instance_uid = ANY(%(uids)b)
        """,
        {"uids": [UUID(bytes=w.uid) for w in wanted]},
    )
    rows = {row[0].bytes: row[1:] for row in await cursor.fetchall()}
    missing = []
    for one in wanted:
        found = rows.get(one.uid)
        if found is None:
            missing.append(one)
        elif not one.is_personal and one.binding and found[2] not in {"", one.binding}:
            one.is_refused = True
        elif found[1]:
            await _rename(cursor, one, found[0], now)
        else:
            one.agent_id = found[0]
    return missing


async def _rename(cursor: AsyncCursor[Any], one: Wanted, agent_id: int, now: datetime) -> None:
    """The agent speaks with its new uid: swap the names, keep the old one as an alias (OP-07)."""
    new = UUID(bytes=one.uid)
    await cursor.execute("DELETE FROM agents_agentalias WHERE instance_uid = %b", [new])
    await cursor.execute(
        "SELECT instance_uid FROM agents_agent WHERE id = %b FOR NO KEY UPDATE", [agent_id]
    )
    row = await cursor.fetchone()
    if row is None:
        return
    one.agent_id = agent_id
    if row[0] == new:
        return
    await cursor.execute("UPDATE agents_agent SET instance_uid = %b WHERE id = %b", [new, agent_id])
    await cursor.execute(
        """
        INSERT INTO agents_agentalias (instance_uid, agent_id, is_ordered, at)
        VALUES (%b, %b, false, %b)
        ON CONFLICT (instance_uid) DO UPDATE SET agent_id = excluded.agent_id, is_ordered = false
        """,
        [row[0], agent_id, now],
    )
    await cursor.execute(
        """
        INSERT INTO agents_agentevent (agent_id, at, kind, details)
        VALUES (%b, %b, 'renamed', %b)
        """,
        [agent_id, now, Jsonb({"old_uid": str(row[0]), "new_uid": str(new)})],
    )


async def _make(cursor: AsyncCursor[Any], wanted: list[Wanted], now: datetime) -> None:
    await cursor.execute(
        """
        INSERT INTO agents_agent (instance_uid, name, kind, version, labels, operator_labels,
            version_keys, identifying, non_identifying, capabilities, custom_capabilities,
            components_hash, bound_to, first_seen_at)
        SELECT v.uid, '', %(kind)b, '', v.labels::jsonb, v.labels::jsonb, '{}', '{}', '{}', 0,
            '[]', '', v.bound_to, %(now)b
        FROM unnest(%(uids)b, %(labels)b::text[], %(bindings)b::text[]) AS v(uid, labels, bound_to)
        ON CONFLICT (instance_uid) DO NOTHING
        RETURNING instance_uid, id
        """,
        {
            "uids": [UUID(bytes=w.uid) for w in wanted],
            "labels": [json.dumps(w.labels) for w in wanted],
            "bindings": [w.binding for w in wanted],
            "kind": Agent.Kind.UNKNOWN.value,
            "now": now,
        },
    )
    made = {uid.bytes: agent_id for uid, agent_id in await cursor.fetchall()}
    for one in wanted:
        if one.uid in made:
            one.agent_id, one.is_new = made[one.uid], True
    await cursor.execute(
        """
        INSERT INTO agents_agentstatus (agent_id, connected, transport, address, sequence_num,
            health_status, health_error, config_hash, config_error, running_hash, effective_hash,
            settings_offered_hash, settings_hash, settings_error)
        SELECT id, false, '', '', 0, '', '', '', '', '', '', '', '', ''
        FROM unnest(%b::bigint[]) AS v(id)
        ON CONFLICT (agent_id) DO NOTHING
        """,
        [list(made.values())],
    )


async def claim(
    cursor: AsyncCursor[Any], wanted: list[Wanted], gateway_id: UUID, now: datetime
) -> list[dict[str, Any]]:
    """Make this gateway the owner of the agents and return their rows, old ownership included.

    A session we still hold goes on, any other is replaced; who wrote `session_id` last owns the
    agent. Rows are locked by agent id, as the flusher does.
    """
    cursor.row_factory = dict_row
    await cursor.execute(
        _CLAIM,
        {
            "ids": [w.agent_id for w in wanted],
            "keep": [w.keep for w in wanted],
            "fresh": [w.fresh for w in wanted],
            "transports": [w.transport for w in wanted],
            "addresses": [w.address for w in wanted],
            "gateway": gateway_id,
            "now": now,
        },
    )
    rows: list[dict[str, Any]] = await cursor.fetchall()
    return rows


async def bring_back(cursor: AsyncCursor[Any], wanted: list[Wanted], now: datetime) -> None:
    """Retired agents that connect are retired no more; their history says so.

    A statement of its own, after `claim` has locked the rows: only a new look sees what a
    retirement wrote while this waited for its lock.
    """
    await cursor.execute(_BRING_BACK, {"ids": [w.agent_id for w in wanted], "now": now})


_BRING_BACK = """
    WITH was AS (
        SELECT id, retired_at, retired_by, retired_why FROM agents_agent
        WHERE id = ANY(%(ids)b::bigint[]) AND retired_at IS NOT NULL
        ORDER BY id FOR NO KEY UPDATE
    ), back AS (
        UPDATE agents_agent a SET retired_at = NULL, retired_by = '', retired_why = ''
        FROM was WHERE a.id = was.id
    )
    INSERT INTO agents_agentevent (agent_id, at, kind, details)
    SELECT id, %(now)b, 'came_back', jsonb_build_object(
        'retired_at', retired_at, 'retired_by', retired_by, 'why', retired_why)
    FROM was
"""
_CLAIM = """
    WITH v AS (
        SELECT * FROM unnest(%(ids)b::bigint[], %(keep)b::uuid[], %(fresh)b::uuid[],
                             %(transports)b::text[], %(addresses)b::text[])
            AS v(id, keep, fresh, transport, address)
    ), old AS (
        SELECT s.* FROM agents_agentstatus s JOIN v ON v.id = s.agent_id
        ORDER BY s.agent_id FOR NO KEY UPDATE OF s
    ), claimed AS (
        UPDATE agents_agentstatus s SET
            gateway_id = %(gateway)b,
            session_id = CASE WHEN old.session_id = v.keep THEN v.keep ELSE v.fresh END,
            connected = true,
            connected_at = CASE WHEN old.session_id = v.keep AND old.connected
                                THEN old.connected_at ELSE %(now)b END,
            transport = v.transport, address = v.address, last_seen_at = %(now)b
        FROM v JOIN old ON old.agent_id = v.id
        WHERE s.agent_id = v.id
        RETURNING s.agent_id, s.session_id
    )
    SELECT v.id, c.session_id, old.session_id AS old_session_id, old.connected AS was_connected,
        old.gateway_id AS old_gateway_id, old.address AS old_address,
        old.disconnected_at, old.sequence_num, old.healthy, old.health_status, old.health_error,
        old.sick_component, old.health_changed_at, old.started_at, old.config_hash, old.config_status,
        md5(old.config_error) AS config_error_md5, old.config_error <> '' AS has_config_error,
        old.running_hash, old.former_hash, old.refused_hash, old.wedged_since,
        old.config_losses, old.config_lost_at,
        old.effective_hash, old.settings_offered_hash, old.settings_hash,
        old.settings_status, old.settings_error,
        (SELECT CASE WHEN bool_or(x.gateway_id = %(gateway)b) THEN count(*) ELSE 0 END
         FROM agents_session x
         WHERE x.agent_id = v.id AND x.connected_at > %(now)b - interval '2 minutes'
           AND x.reason = 'moved') AS moves,
        a.instance_uid, a.capabilities, a.custom_capabilities, a.components_hash,
        a.described_at IS NOT NULL AS known,
        (SELECT l.instance_uid FROM agents_agentalias l
         WHERE l.agent_id = v.id AND l.is_ordered LIMIT 1) AS ordered_uid,
        e.settings, e.settings_hash AS wanted_settings_hash
    FROM v
    JOIN claimed c ON c.agent_id = v.id
    JOIN old ON old.agent_id = v.id
    JOIN agents_agent a ON a.id = v.id
    LEFT JOIN agents_desiredsettings e ON e.agent_id = v.id
"""

# What each of these agents should run, whether it refused that, and what waits for its word.
_DESIRED = f"""
    SELECT d.agent_id, d.config_hash, d.change,
        {quarantined_sql("d.agent_id", "d.config_hash")} AS refused,
        coalesce(o.config_hash, '') AS open_hash,
        o.id IS NOT NULL AND o.sent_at IS NULL AS unsent{{more}}
    FROM agents_desired d
    LEFT JOIN agents_delivery o ON o.agent_id = d.agent_id AND o.state = '{Delivery.State.OPEN}'
"""  # noqa: S608  constant text
# Sent by whom it was connected to before, overtaken by what is wanted now, never answered. A gateway
# that holds the agent knows that itself.
_OVERTAKEN = f""",
        coalesce((
            SELECT p.config_hash FROM (
                SELECT x.config_hash, x.state, x.sent_at FROM agents_delivery x
                WHERE x.agent_id = d.agent_id AND (o.id IS NULL OR x.id < o.id)
                ORDER BY x.id DESC LIMIT 1
            ) p WHERE p.state = '{Delivery.State.SUPERSEDED}' AND p.sent_at IS NOT NULL
        ), '') AS overtaken
"""  # noqa: S608  constant text
DESIRED_OF = _DESIRED.format(more=_OVERTAKEN) + " WHERE d.agent_id = ANY(%b::bigint[])"
DESIRED_SINCE = _DESIRED.format(more="") + " WHERE d.change > %b ORDER BY d.change, d.agent_id"
