"""The statements of a flush. Each takes columns of equal length, one entry a row.

Rows come as binary arrays through `unnest`; above `COPY_FROM` rows they are copied into a
temporary table first, which is several times quicker for PostgreSQL (gateway.md section 8) and,
from about 150 rows, cheaper for the gateway: by 5 to 6 of some 45 us an agent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncCursor

from accounts.models import AuditEvent
from agents import deliveries
from agents.models import Quarantine
from console.lib.texts import text, to_column

COPY_FROM = 150


class Write:
    """One statement over many rows. `sql` uses `v` as the table of the given columns."""

    def __init__(self, name: str, columns: dict[str, str], sql: str) -> None:
        self._types = list(columns.values())
        names = ", ".join(columns)
        arrays = ", ".join(f"%b::{kind}[]" for kind in columns.values())
        table = f"flush_{name}"
        arrays_as_table = f"(SELECT * FROM unnest({arrays}) AS v({names})) AS v"  # noqa: S608
        self._unnest = sql.replace("{v}", arrays_as_table)
        self._from_table = sql.replace("{v}", f"{table} AS v")
        shape = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        self._create = f"CREATE TEMP TABLE IF NOT EXISTS {table} ({shape}) ON COMMIT DELETE ROWS"
        self._copy = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"

    async def run(self, cursor: AsyncCursor[Any], rows: Sequence[Sequence[Any]]) -> None:
        """Write the rows. What the statement returns is left in the cursor."""
        if len(rows) < COPY_FROM:
            await cursor.execute(self._unnest, [list(column) for column in zip(*rows, strict=True)])
            return
        await cursor.execute(self._create)
        async with cursor.copy(self._copy) as copy:
            copy.set_types(self._types)
            for row in rows:
                await copy.write_row(row)
        await cursor.execute(self._from_table)


STATUS = Write(
    "status",
    {
        "agent_id": "int8",
        "gateway_id": "uuid",
        "connected": "bool",
        "disconnected_at": "timestamptz",
        "last_seen_at": "timestamptz",
        "sequence_num": "int8",
        "healthy": "bool",
        "health_status": "text",
        "health_error": "text",
        "sick_component": "text",
        "health_changed_at": "timestamptz",
        "started_at": "timestamptz",
        "config_hash": "text",
        "config_status": "int2",
        "config_error": "text",
        "config_at": "timestamptz",
        "running_hash": "text",
        "effective_hash": "text",
        "left_reason": "text",
        "former_hash": "text",
        "refused_hash": "text",
        "wedged_since": "text",
        "config_losses": "int4",
        "config_lost_at": "timestamptz",
    },
    """
    UPDATE agents_agentstatus s SET
        connected = v.connected, disconnected_at = coalesce(v.disconnected_at, s.disconnected_at),
        last_seen_at = v.last_seen_at, sequence_num = v.sequence_num,
        healthy = v.healthy, health_status = v.health_status, health_error = v.health_error,
        sick_component = v.sick_component, health_changed_at = v.health_changed_at, started_at = v.started_at,
        config_hash = v.config_hash, config_status = v.config_status,
        config_error = coalesce(v.config_error, s.config_error),
        config_at = coalesce(v.config_at, s.config_at),
        running_hash = v.running_hash, effective_hash = v.effective_hash,
        left_reason = v.left_reason, former_hash = v.former_hash,
        refused_hash = v.refused_hash, wedged_since = v.wedged_since,
        config_losses = v.config_losses, config_lost_at = v.config_lost_at
    FROM {v} WHERE s.agent_id = v.agent_id AND s.gateway_id = v.gateway_id
    RETURNING s.agent_id
    """,
)
SEEN = Write(
    "seen",
    {
        "agent_id": "int8",
        "gateway_id": "uuid",
        "last_seen_at": "timestamptz",
        "sequence_num": "int8",
    },
    """
    UPDATE agents_agentstatus s SET last_seen_at = v.last_seen_at, sequence_num = v.sequence_num
    FROM {v} WHERE s.agent_id = v.agent_id AND s.gateway_id = v.gateway_id
    RETURNING s.agent_id
    """,
)
SETTINGS = Write(
    "settings",
    {
        "agent_id": "int8",
        "offered_hash": "text",
        "settings_hash": "text",
        "settings_status": "int2",
        "settings_error": "text",
        "at": "timestamptz",
    },
    """
    UPDATE agents_agentstatus s SET
        settings_offered_at = CASE WHEN s.settings_offered_hash = v.offered_hash
                                   THEN s.settings_offered_at ELSE v.at END,
        settings_offered_hash = v.offered_hash, settings_hash = v.settings_hash,
        settings_status = v.settings_status, settings_error = v.settings_error
    FROM {v} WHERE s.agent_id = v.agent_id
    """,
)
DESCRIPTION = Write(
    "description",
    {
        "agent_id": "int8",
        "name": "text",
        "kind": "text",
        "version": "text",
        "identifying": "text",
        "non_identifying": "text",
        "labels": "text",
        "version_keys": "text",
        "at": "timestamptz",
    },
    """
    UPDATE agents_agent a SET
        name = v.name, kind = v.kind, version = v.version,
        identifying = v.identifying::jsonb, non_identifying = v.non_identifying::jsonb,
        labels = v.labels::jsonb || a.operator_labels,
        version_keys = CASE WHEN a.operator_labels = '{}' THEN v.version_keys::jsonb ELSE
            (v.version_keys::jsonb - ARRAY(SELECT jsonb_object_keys(a.operator_labels)))
            || coalesce((SELECT jsonb_object_agg(k.key, k.value) FROM jsonb_each(a.version_keys) k
                         WHERE a.operator_labels ? k.key), '{}') END,
        described_at = v.at
    FROM {v} WHERE a.id = v.agent_id
    """,
)
CAPABILITIES = Write(
    "capabilities",
    {
        "agent_id": "int8",
        "capabilities": "int8",
        "custom_capabilities": "text",
        "components_hash": "text",
    },
    """
    UPDATE agents_agent a SET capabilities = v.capabilities,
        custom_capabilities = v.custom_capabilities::jsonb, components_hash = v.components_hash
    FROM {v} WHERE a.id = v.agent_id
    """,
)
BODY = Write(
    "body",
    {
        "agent_id": "int8",
        "part": "text",
        "body_hash": "text",
        "body": "text",
        "at": "timestamptz",
    },
    """
    INSERT INTO agents_agentbody AS b (agent_id, part, body_hash, body, at)
    SELECT v.agent_id, v.part, v.body_hash, v.body::jsonb, v.at FROM {v}
    ON CONFLICT (agent_id, part) DO UPDATE SET body_hash = excluded.body_hash,
        body = excluded.body, at = excluded.at
    WHERE b.body_hash <> excluded.body_hash
    """,
)
DELIVERY = Write(
    "delivery",
    {
        "agent_id": "int8",
        "config_hash": "text",
        "sent_at": "timestamptz",
        "acknowledged_at": "timestamptz",
        "settled_at": "timestamptz",
        "state": "text",
        "error": "text",
        "confirmed_by": "text",
    },
    deliveries.HEARD,
)
REFUSAL = Write(
    "refusal",
    {
        "agent_id": "int8",
        "config_hash": "text",
        "outcome": "text",
        "reason": "text",
        "at": "timestamptz",
    },
    """
    INSERT INTO agents_quarantine (agent_id, config_hash, outcome, cause, reason, by, at,
                                   lifted_by, lift_reason)
    SELECT v.agent_id, v.config_hash, v.outcome,
        coalesce((SELECT d.cause FROM agents_delivery d
                  WHERE d.agent_id = v.agent_id AND d.config_hash = v.config_hash
                  ORDER BY d.id DESC LIMIT 1), ''),
        v.reason, 'agent', v.at, '', ''
    FROM {v} WHERE EXISTS (SELECT FROM agents_configbody c WHERE c.config_hash = v.config_hash)
    ON CONFLICT DO NOTHING
    """,
)
LIFT = Write(
    "lift",
    {"agent_id": "int8", "config_hash": "text", "at": "timestamptz"},
    f"""
    UPDATE agents_quarantine q SET lifted_at = v.at, lifted_by = 'agent',
        lift_reason = '{to_column(text("quarantine.runs_after_all"))}'
    FROM {{v}} WHERE q.agent_id = v.agent_id AND q.config_hash = v.config_hash
      AND q.lifted_at IS NULL
      AND q.outcome IN ('{Quarantine.Outcome.FAILED}', '{Quarantine.Outcome.FELL_BACK}')
    """,  # noqa: S608  constant text
)
REFUSED = Write(
    "refused",
    {
        "address": "text",
        "reason": "text",
        "claimed_id": "text",
        "credential": "text",
        "detail": "text",
        "times": "int8",
        "first_at": "timestamptz",
        "last_at": "timestamptz",
    },
    """
    INSERT INTO agents_refusedagent AS r (address, reason, claimed_id, credential, detail, times,
                                          first_at, last_at)
    SELECT v.address, v.reason, v.claimed_id, v.credential, v.detail, v.times, v.first_at, v.last_at
    FROM {v} ORDER BY 1, 2, 3
    ON CONFLICT (address, reason, claimed_id) DO UPDATE SET times = r.times + excluded.times,
        first_at = least(r.first_at, excluded.first_at),
        last_at = greatest(r.last_at, excluded.last_at),
        credential = excluded.credential, detail = excluded.detail
    """,
)
# However many come: the newest of an address, and of all.
REFUSED_BOUNDS = (
    """
    DELETE FROM agents_refusedagent WHERE id IN (
        SELECT id FROM (
            SELECT id, row_number() OVER (PARTITION BY address ORDER BY last_at DESC, id DESC) AS n
            FROM agents_refusedagent WHERE address = ANY(%b::text[])) x
        WHERE n > 50)
    """,
    """
    DELETE FROM agents_refusedagent WHERE id IN (
        SELECT id FROM agents_refusedagent ORDER BY last_at DESC, id DESC OFFSET 5000)
    """,
)
# The row that `accounts.audit.record` would write: a gateway has no ORM.
TLS_CHANGE = f"""
    INSERT INTO accounts_auditevent (at, actor_kind, act, actor_name, object_kind, object_id,
        object_name, reason, details, request_id)
    VALUES (now(), '{AuditEvent.ActorKind.SYSTEM.value}', %b, %b, 'gateway', %b, %b, '', %b, '')
"""  # noqa: S608  a word of ours
EVENT = Write(
    "event",
    {"agent_id": "int8", "at": "timestamptz", "kind": "text", "details": "text"},
    """
    INSERT INTO agents_agentevent (agent_id, at, kind, details)
    SELECT v.agent_id, v.at, v.kind, v.details::jsonb FROM {v}
    """,
)
COMPONENTS = Write(
    "components",
    {"components_hash": "text", "names": "text", "details": "text", "at": "timestamptz"},
    """
    INSERT INTO agents_componentset (components_hash, names, details, at)
    SELECT v.components_hash, v.names::jsonb, v.details::jsonb, v.at FROM {v}
    ON CONFLICT DO NOTHING
    """,
)
ORDERED_UID = Write(
    "ordered_uid",
    {"instance_uid": "uuid", "agent_id": "int8", "at": "timestamptz"},
    """
    INSERT INTO agents_agentalias (instance_uid, agent_id, is_ordered, at)
    SELECT v.instance_uid, v.agent_id, true, v.at FROM {v}
    WHERE NOT EXISTS (SELECT FROM agents_agent a WHERE a.instance_uid = v.instance_uid)
    ON CONFLICT DO NOTHING
    """,
)
# The same request again is the same one (security.md R23): it is looked at once more.
REQUEST = Write(
    "request",
    {
        "agent_id": "int8",
        "digest": "text",
        "csr": "text",
        "principal": "text",
        "at": "timestamptz",
    },
    """
    INSERT INTO agents_certificaterequest AS r (agent_id, digest, csr, principal, received_at, times)
    SELECT v.agent_id, v.digest, v.csr, v.principal, v.at, 1 FROM {v}
    ON CONFLICT (agent_id, digest) DO UPDATE SET taken_at = NULL, times = r.times + 1,
        principal = excluded.principal, received_at = excluded.received_at
    """,
)
SESSION_OPENED = Write(
    "session_opened",
    {
        "id": "uuid",
        "agent_id": "int8",
        "gateway_id": "uuid",
        "transport": "text",
        "address": "text",
        "principal": "text",
        "connected_at": "timestamptz",
    },
    """
    INSERT INTO agents_session (id, agent_id, gateway_id, transport, address, principal,
                                connected_at, reason)
    SELECT v.id, v.agent_id, v.gateway_id, v.transport, v.address, v.principal, v.connected_at, ''
    FROM {v} JOIN agents_agent a ON a.id = v.agent_id
    ON CONFLICT (id) DO NOTHING
    """,
)
SESSION_CLOSED = Write(
    "session_closed",
    {"id": "uuid", "at": "timestamptz", "reason": "text"},
    """
    UPDATE agents_session s SET disconnected_at = v.at, reason = v.reason
    FROM {v} WHERE s.id = v.id AND s.disconnected_at IS NULL
    """,
)
NEWS = """
    INSERT INTO agents_news (topic, agent_id)
    SELECT d.topic, d.agent_id FROM agents_desired d
    WHERE d.agent_id = ANY(%b::bigint[]) AND d.topic <> ''
    RETURNING topic
"""
