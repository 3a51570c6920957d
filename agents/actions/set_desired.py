"""Say what agents should run: the only way a config is offered (gateway.md section 10).

One push at a time, under one lock, so that change numbers become visible in their order and a
gateway that has read up to N has missed nothing below N. Plain SQL: 100,000 agents in one call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from agents import deliveries
from agents.models import Delivery, Desired
from agents.quarantined import quarantined_sql
from console.lib import hints

# The number of the advisory lock that orders pushes; also taken for connection settings.
PUSH_LOCK = 0x7469_6465


@dataclass(frozen=True, slots=True)
class SetDesired:
    """What a push did, by agent id. `change` is 0 when nobody was left to push to.

    offered: an open delivery waits for their word. already_running: they had reported this hash
    as applied and nothing else is under way to them, so the delivery is settled (agents do not repeat
    a status). quarantined: left out, because the hash failed there or is quarantined for the fleet.
    """

    change: int
    offered: list[int]
    already_running: list[int]
    quarantined: list[int]


def set_desired(*, wants: Mapping[int, str], cause: str, topic: str, now: datetime) -> SetDesired:
    """Offer `wants[agent_id]` (a config hash) to each agent, in the caller's transaction.

    Open deliveries to these agents are superseded. Takes the push lock, then deliveries by agent
    id; the caller holds rollout, phase and target locks already. Raises RuntimeError outside a
    transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("set_desired must run in the transaction of the act that decided it")
    with connection.cursor() as cursor:
        take_push_lock(cursor)
        quarantined = _quarantined(cursor, wants)
        wants = {pk: wants[pk] for pk in sorted(wants) if pk not in quarantined}
        if not wants:
            return SetDesired(0, [], [], sorted(quarantined))
        change = next_change(cursor)
        states = deliveries.offer(wants, cause, now)
        values = deliveries.as_values(wants) | {"topic": topic, "now": now, "change": change}
        cursor.execute(_DESIRE, values)
        already = sorted(pk for pk, state in states.items() if state == Delivery.State.APPLIED)
        if topic and already:
            cursor.execute(_NEWS, {"topic": topic, "ids": already})
    transaction.on_commit(lambda: hints.publish(hints.DESIRED, str(change)))
    offered = sorted(pk for pk, state in states.items() if state == Delivery.State.OPEN)
    return SetDesired(change, offered, already, sorted(quarantined))


def release_topic(topic: str) -> int:
    """Stop news about this topic: its rollout is over. Returns how many agents it had."""
    return Desired.objects.filter(topic=topic).update(topic="")


def take_push_lock(cursor: Any) -> None:
    """Wait for the push lock; it is held until the end of the transaction."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUSH_LOCK])


def next_change(cursor: Any) -> int:
    """Return the next change number. The push lock must be held."""
    cursor.execute("SELECT nextval('agents_change_seq')")
    return int(cursor.fetchone()[0])


def _quarantined(cursor: Any, wants: Mapping[int, str]) -> set[int]:
    cursor.execute(_QUARANTINED, deliveries.as_values(wants))
    return {row[0] for row in cursor.fetchall()}


_QUARANTINED = f"""
    SELECT w.agent_id FROM {deliveries.WANTED} WHERE {quarantined_sql("w.agent_id", "w.config_hash")}
"""  # noqa: S608  constant text
_DESIRE = f"""
    INSERT INTO agents_desired (agent_id, config_hash, change, topic, at)
    SELECT w.agent_id, w.config_hash, %(change)s, %(topic)s, %(now)s FROM {deliveries.WANTED}
    ON CONFLICT (agent_id) DO UPDATE SET config_hash = excluded.config_hash,
        change = excluded.change, topic = excluded.topic, at = excluded.at
"""  # noqa: S608  constant text
_NEWS = """
    INSERT INTO agents_news (topic, agent_id)
    SELECT %(topic)s, id FROM unnest(%(ids)s::bigint[]) AS a(id)
"""
