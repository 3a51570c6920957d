"""What agents said on their way back, carried into the rows of a rollback."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connection

from agents.actions.settle import settle_timed_out
from rollouts.models import Rollback, RollbackTarget

# One pass over the deliveries, as in `rollouts.delivering.observe`.
_OBSERVE = """
    WITH newest AS MATERIALIZED (
        SELECT DISTINCT ON (x.agent_id, x.config_hash) x.agent_id, x.config_hash, x.state,
               x.settled_at, x.sent_at, x.error
        FROM agents_delivery x
        WHERE x.agent_id = ANY(%(agents)s::bigint[]) AND x.cause = %(cause)s
        ORDER BY x.agent_id, x.config_hash, x.id DESC
    )
    UPDATE rollouts_rollbacktarget t SET
        state = n.state,
        confirmed_at = CASE WHEN n.state = 'confirmed'
                            THEN coalesce(t.confirmed_at, n.settled_at, %(now)s) END,
        error = CASE WHEN n.state = 'failed' THEN left(coalesce(n.error, ''), 2000)
                     WHEN n.state = 'skipped' THEN 'something else was offered to it meanwhile'
                     WHEN n.state = 'confirmed' THEN '' ELSE t.error END,
        online = n.connected,
        deadline_at = CASE WHEN n.state <> 'offered' THEN t.deadline_at
                           WHEN n.sent_at IS NULL AND NOT n.connected THEN NULL
                           ELSE coalesce(t.deadline_at, %(due)s) END
    FROM (
        SELECT o.id, coalesce(s.connected, false) AS connected, d.settled_at, d.sent_at, d.error,
            CASE
                WHEN o.state IN ('offered', 'timed_out', 'failed') AND d.state = 'applied'
                    THEN 'confirmed'
                WHEN o.state IN ('offered', 'timed_out') AND d.state = 'failed' THEN 'failed'
                WHEN o.state = 'timed_out' AND s.config_hash = o.to_hash AND s.config_status = 1
                    THEN 'confirmed'
                WHEN o.state = 'offered' AND d.state = 'timed_out' THEN 'timed_out'
                WHEN o.state = 'offered' AND d.state = 'superseded' THEN 'skipped'
                ELSE o.state
            END AS state
        FROM rollouts_rollbacktarget o
        LEFT JOIN agents_agentstatus s ON s.agent_id = o.agent_id
        LEFT JOIN newest d ON d.agent_id = o.agent_id AND d.config_hash = o.to_hash
        WHERE o.rollback_id = %(rollback)s AND o.agent_id = ANY(%(agents)s::bigint[])
    ) n
    WHERE t.id = n.id
"""


def observe(rollback: Rollback, agents: Collection[int], timeout_s: float, now: datetime) -> None:
    """Bring the rows of these agents up to date: confirmed is the agent's own word for the hash."""
    if not agents:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _OBSERVE,
            {
                "rollback": rollback.pk,
                "agents": list(agents),
                "cause": rollback.topic,
                "now": now,
                "due": now + timedelta(seconds=timeout_s),
            },
        )


def time_out(rollback: Rollback, timeout_s: float, now: datetime) -> list[int]:
    """Give up waiting for agents whose time has passed. Returns their ids."""
    due = RollbackTarget.objects.filter(
        rollback=rollback, state="offered", deadline_at__lte=now
    ).values_list("agent_id", "to_hash")
    by_hash: dict[str, list[int]] = {}
    for agent_id, to_hash in due:
        by_hash.setdefault(to_hash, []).append(agent_id)
    silent: list[int] = []
    for to_hash, agent_ids in sorted(by_hash.items()):
        silent += settle_timed_out(agent_ids, to_hash, now)
    RollbackTarget.objects.filter(rollback=rollback, agent_id__in=silent).update(
        state="timed_out", error="did not confirm in time"
    )
    everyone = [agent for agents in by_hash.values() for agent in agents]
    observe(rollback, set(everyone) - set(silent), timeout_s, now)
    return everyone


def extend_deadlines(rollback: Rollback, by_s: float) -> None:
    """Give outstanding agents the time in which nobody looked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rollouts_rollbacktarget SET deadline_at = deadline_at + make_interval(secs => %s)"
            " WHERE rollback_id = %s AND state = 'offered' AND deadline_at IS NOT NULL",
            [by_s, rollback.pk],
        )


def recount(rollback: Rollback) -> dict[str, int]:
    """Count the rows by state; `outstanding` are offered ones that can still answer."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), count(*) FILTER (WHERE state = 'waiting'),
                count(*) FILTER (WHERE state = 'offered' AND deadline_at IS NOT NULL),
                count(*) FILTER (WHERE state = 'offered' AND deadline_at IS NULL),
                count(*) FILTER (WHERE state = 'confirmed'),
                count(*) FILTER (WHERE state = 'failed'),
                count(*) FILTER (WHERE state = 'timed_out'),
                count(*) FILTER (WHERE state = 'no_version'),
                count(*) FILTER (WHERE state = 'skipped')
            FROM rollouts_rollbacktarget WHERE rollback_id = %s
            """,
            [rollback.pk],
        )
        names = (
            "targets", "waiting", "outstanding", "offline", "confirmed", "failed", "timed_out",
            "no_version", "skipped",
        )  # fmt: skip
        return dict(zip(names, cursor.fetchone(), strict=True))
