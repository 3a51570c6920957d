"""The only writer of the states of deliveries: one offer of one hash to one agent, until its outcome.

Every step leads away from *open*, of which an agent has at most one; what is settled stays as it is.
The agent's own word settles (gateways write it: `HEARD`), or a newer offer, or the engine's patience.
Locks are taken in the order of agents. Plain SQL: 100,000 agents in one call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from agents.models import Delivery
from agents.running import runs_sql
from console.lib.transitions import Transition, table_of

_D = Delivery.State
DELIVERY_TRANSITIONS = (
    Transition("confirm", (_D.OPEN,), _D.APPLIED, "the agent says that it runs the version"),
    Transition("refuse", (_D.OPEN,), _D.FAILED, "the agent says that it cannot run it"),
    Transition("time_out", (_D.OPEN,), _D.TIMED_OUT, "nobody confirmed it in time"),
    Transition(
        "supersede", (_D.OPEN,), _D.SUPERSEDED, "something else is wanted of the agent, or nothing"
    ),
)
DELIVERY_TABLE = table_of(DELIVERY_TRANSITIONS)

# What each agent is wanted to run, as a table `w`; see `as_values`.
WANTED = "unnest(%(ids)s::bigint[], string_to_array(%(hashes)s, ',')) AS w(agent_id, config_hash)"

_OFFER = f"""
    INSERT INTO agents_delivery (agent_id, config_hash, cause, state, offered_at,
                                 acknowledged_at, settled_at, error)
    SELECT w.agent_id, w.config_hash, %(cause)s,
           CASE WHEN r.runs THEN %(applied)s ELSE %(open)s END, %(now)s,
           CASE WHEN r.runs THEN %(now)s END, CASE WHEN r.runs THEN %(now)s END, ''
    FROM {WANTED}
    LEFT JOIN agents_agentstatus s ON s.agent_id = w.agent_id
    CROSS JOIN LATERAL (
        SELECT coalesce({runs_sql("w.config_hash")}, false)
               AND NOT (w.agent_id = ANY(%(sent)s::bigint[])
                        OR s.connected AND w.agent_id = ANY(%(unsent)s::bigint[])) AS runs
    ) r
    RETURNING agent_id, state
"""  # noqa: S608  constant text
_SETTLE = """
    WITH old AS (
        SELECT id FROM agents_delivery
        WHERE state = %(open)s AND agent_id = ANY(%(ids)s::bigint[])
          AND (%(hash)s::text IS NULL OR config_hash = %(hash)s)
        ORDER BY agent_id FOR NO KEY UPDATE
    )
    UPDATE agents_delivery d SET state = %(to)s, settled_at = %(now)s
    FROM old WHERE d.id = old.id
    RETURNING d.agent_id, d.config_hash, d.sent_at IS NOT NULL
"""

# What gateways heard, over a table {v} of it: agent_id, config_hash, sent_at, acknowledged_at,
# settled_at, state (null: no outcome yet), error, confirmed_by. Returns the states and how long after
# the offer each was acknowledged and settled, in seconds. The states are constants, as the partial
# index on open deliveries wants them in a prepared statement.
HEARD = f"""
    WITH v AS (SELECT * FROM {{v}}), found AS (
        SELECT d.id, v.* FROM (SELECT * FROM v ORDER BY v.agent_id) v
        CROSS JOIN LATERAL (
            SELECT x.id FROM agents_delivery x
            WHERE x.agent_id = v.agent_id AND x.state = '{_D.OPEN}'
              AND x.config_hash = v.config_hash
            FOR NO KEY UPDATE OFFSET 0
        ) d
    )
    UPDATE agents_delivery d SET
        sent_at = coalesce(d.sent_at, f.sent_at),
        acknowledged_at = CASE WHEN f.acknowledged_at IS NULL THEN d.acknowledged_at
            ELSE coalesce(d.acknowledged_at, greatest(f.acknowledged_at, d.offered_at)) END,
        state = coalesce(f.state, d.state),
        settled_at = CASE WHEN f.state IS NULL THEN NULL
            ELSE greatest(f.settled_at, d.offered_at) END,
        error = coalesce(f.error, ''), confirmed_by = coalesce(f.confirmed_by, '')
    FROM found f WHERE d.id = f.id
    RETURNING d.state,
        CASE WHEN f.acknowledged_at IS NOT NULL
             THEN extract(epoch FROM d.acknowledged_at - d.offered_at)::float8 END,
        extract(epoch FROM d.settled_at - d.offered_at)::float8
"""  # noqa: S608  constant text


def as_values(wants: Mapping[int, str]) -> dict[str, Any]:
    """Return the parameters of WANTED.

    The hashes go as one text: quoting 100,000 array elements takes longer than joining them (hex
    needs none).
    """
    return {"ids": list(wants), "hashes": ",".join(wants.values())}


def offer(wants: Mapping[int, str], cause: str, now: datetime) -> dict[int, str]:
    """Open a delivery of `wants[agent_id]` to each agent; what was open until now is superseded.

    Returns the state of each: an agent that has said that it runs the hash does not say it again,
    so its delivery is applied at once. Unless another hash is under way to it, or may be (that it
    was sent is written a moment later): what it said is from before, and its gateway asks it anew.
    Call under the push lock (`actions.set_desired`).
    """
    sent: list[int] = []
    unsent: list[int] = []
    for agent_id, config_hash, was_sent in _settle("supersede", wants, None, now):
        if config_hash != wants[agent_id]:
            (sent if was_sent else unsent).append(agent_id)
    values = as_values(wants) | {
        "sent": sent,
        "unsent": unsent,
        "cause": cause,
        "now": now,
        "open": _D.OPEN.value,
        "applied": DELIVERY_TABLE["confirm", _D.OPEN],
    }
    with connection.cursor() as cursor:
        cursor.execute(_OFFER, values)
        return dict(cursor.fetchall())


def supersede(agent_ids: Iterable[int], now: datetime, config_hash: str | None = None) -> list[int]:
    """Give up the open deliveries to these agents (of this hash). Returns who had one."""
    return [row[0] for row in _settle("supersede", agent_ids, config_hash, now)]


def time_out(agent_ids: Iterable[int], config_hash: str, now: datetime) -> list[int]:
    """Close the open deliveries of this hash to these agents as timed out; the engine decides when.

    Returns the agents for which that was so; the others have an outcome already, read it.
    """
    return [row[0] for row in _settle("time_out", agent_ids, config_hash, now)]


def _settle(
    act: str, agent_ids: Iterable[int], config_hash: str | None, now: datetime
) -> list[tuple[int, str, bool]]:
    """Lead open deliveries to these agents (of this hash) to an end. Returns agent, hash, and whether
    it was sent, by agent."""
    to = DELIVERY_TABLE[act, _D.OPEN]
    values = {
        "ids": list(agent_ids),
        "hash": config_hash,
        "open": _D.OPEN.value,
        "to": to,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, values)
        return sorted(cursor.fetchall())
