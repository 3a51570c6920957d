"""What agents said, carried into the targets of a rollout: only those that have news are read.

The agent's own word decides (spec section 4): its delivery of this very hash settles as applied or
failed. Health never undoes a FAILED; a late APPLIED replaces a time-out, which was only silence.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection

from agents.actions.settle import settle_timed_out
from rollouts.models import Rollout, Target

MAX_ERROR = 2000

# The newest deliveries are read in one pass: asked agent by agent, a planner without fresh
# statistics reads all deliveries of the rollout for each (20,000 agents took 12 s).
_OBSERVE = """
    WITH newest AS MATERIALIZED (
        SELECT DISTINCT ON (x.agent_id) x.agent_id, x.state, x.settled_at, x.sent_at, x.error
        FROM agents_delivery x
        WHERE x.agent_id = ANY(%(agents)s::bigint[]) AND x.cause = %(cause)s
          AND x.config_hash = %(hash)s
        ORDER BY x.agent_id, x.id DESC
    )
    UPDATE rollouts_target t SET
        state = n.state,
        confirmed_at = CASE WHEN n.state <> t.state AND n.state IN ('applied', 'failed')
                            THEN coalesce(n.settled_at, %(now)s) ELSE t.confirmed_at END,
        error = CASE WHEN n.state = 'failed' THEN left(n.error, %(max_error)s)
                     WHEN n.state = 'skipped' AND t.state <> 'skipped' THEN n.error
                     WHEN n.state = 'applied' THEN '' ELSE t.error END,
        online = n.connected,
        healthy = n.healthy,
        was_unhealthy = t.was_unhealthy AND n.healthy IS NOT TRUE,
        unhealthy_since = CASE WHEN n.healthy IS FALSE
                               THEN coalesce(n.health_changed_at, t.unhealthy_since, %(now)s) END,
        deadline_at = CASE WHEN n.state <> 'offered' THEN t.deadline_at
                           WHEN n.sent_at IS NULL AND NOT n.connected THEN NULL
                           ELSE coalesce(t.deadline_at,
                                %(now)s + make_interval(secs => n.timeout_s)) END
    FROM (
        SELECT o.id, s.connected, s.healthy, s.health_changed_at, d.settled_at, d.sent_at,
            (p.spec #>> '{pace,apply_timeout_s}')::float8 AS timeout_s,
            CASE
                WHEN o.state IN ('offered', 'timed_out') AND d.state = 'applied' THEN 'applied'
                WHEN o.state IN ('offered', 'timed_out') AND d.state = 'failed' THEN 'failed'
                WHEN o.state = 'offered' AND d.state = 'timed_out' THEN 'timed_out'
                WHEN o.state = 'timed_out' AND s.config_hash = %(hash)s AND s.config_status = 1
                    THEN 'applied'
                WHEN o.state IN ('applied', 'timed_out') AND s.config_hash = %(hash)s
                    AND s.config_status = 3 AND s.config_at > o.offered_at THEN 'failed'
                WHEN o.state = 'offered' AND d.state = 'superseded' THEN 'skipped'
                ELSE o.state
            END AS state,
            CASE
                WHEN d.state = 'superseded' THEN 'something else was offered to it meanwhile'
                WHEN d.state = 'failed' THEN d.error
                ELSE s.config_error
            END AS error
        FROM rollouts_target o
        JOIN rollouts_phase p ON p.id = o.phase_id
        JOIN agents_agentstatus s ON s.agent_id = o.agent_id
        LEFT JOIN newest d ON d.agent_id = o.agent_id
        WHERE o.rollout_id = %(rollout)s AND o.agent_id = ANY(%(agents)s::bigint[])
    ) n
    WHERE t.id = n.id
    RETURNING t.phase_id
"""

_CATCH_UP = """
    UPDATE rollouts_target t SET online = s.connected
    FROM agents_agentstatus s
    WHERE t.phase_id = ANY(%(phases)s) AND t.state = 'waiting'
      AND s.agent_id = t.agent_id AND t.online <> s.connected
    RETURNING t.phase_id
"""


def observe(rollout: Rollout, config_hash: str, agents: Collection[int], now: datetime) -> set[int]:
    """Bring the targets of these agents up to date. Returns the ids of their phases."""
    if not agents:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            _OBSERVE,
            {
                "rollout": rollout.pk,
                "agents": list(agents),
                "cause": rollout.topic,
                "hash": config_hash,
                "now": now,
                "max_error": MAX_ERROR,
            },
        )
        return {row[0] for row in cursor.fetchall()}


def see_connections(phase_ids: Collection[int]) -> set[int]:
    """Look who of the waiting targets of these phases is connected. Returns phases that changed.

    Nobody sends news about an agent that nothing was offered to yet, so this is asked from time
    to time, of begun phases only.
    """
    if not phase_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_CATCH_UP, {"phases": list(phase_ids)})
        return {row[0] for row in cursor.fetchall()}


def time_out(rollout: Rollout, config_hash: str, now: datetime) -> set[int]:
    """Give up waiting for targets whose deadline has passed. Returns the ids of their phases.

    A delivery that settled in this very moment keeps its outcome: such a target is observed again.
    """
    due = list(
        Target.objects.filter(rollout=rollout, state="offered", deadline_at__lte=now)
        .order_by("agent_id")
        .values_list("agent_id", "phase_id")
    )
    if not due:
        return set()
    silent = set(settle_timed_out([agent for agent, _ in due], config_hash, now))
    Target.objects.filter(rollout=rollout, agent_id__in=silent).update(
        state="timed_out", error="did not confirm in time"
    )
    others = [agent for agent, _ in due if agent not in silent]
    return {phase for _, phase in due} | observe(rollout, config_hash, others, now)


def extend_deadlines(rollout: Rollout, by_s: float) -> None:
    """Give outstanding targets the time in which nobody looked: an absent worker rushes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rollouts_target SET deadline_at = deadline_at + make_interval(secs => %s)"
            " WHERE rollout_id = %s AND state = 'offered' AND deadline_at IS NOT NULL",
            [by_s, rollout.pk],
        )
