"""The statements of `delivering/targets.py`, which decides their values: one text each for agents in a rollout and on their way back.

`{...}` is filled once, with what differs between the two kinds of rows; `%(...)s` are values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from agents.running import runs_sql
from rollouts.engine.states import BACK_TABLE, TARGET_TABLE, RollbackTargetState, TargetState

LOST_AFTER = "make_interval(secs => coalesce((p.spec #>> '{pace,lost_after_s}')::float8, 120))"
# A pod without a volume may lose its config once: by a restart. The second time says something.
MANY_LOSSES = 2
STEADY = 4


@dataclass(frozen=True, slots=True)
class Kind:
    """What the statements differ in. `wanted` and `timeout_s` are SQL over a target `t` and `joins`;
    `sets` are columns that only this kind has, `returns` names the group that changed."""

    table: str
    owner: str
    steps: Mapping[tuple[str, str], str]
    done: str
    answers: tuple[str, ...]
    falls_back: str
    fell_back_to: str
    loses: str
    wanted: str
    timeout_s: str
    joins: str
    returns: str
    offer_sets: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)


TARGETS = Kind(
    table="rollouts_target",
    owner="rollout_id",
    steps=TARGET_TABLE,
    done=TargetState.APPLIED,
    answers=(TargetState.APPLIED, TargetState.FAILED),
    falls_back="""t.state = ANY(%(from_fall_back)s) AND w.config_hash = {wanted}
                    AND (d.state = %(d_applied)s OR t.state = %(done)s)
                    AND s.config_status = %(said_applied)s
                    AND s.config_hash NOT IN ('', {wanted})""",
    fell_back_to="""json_build_object('text', %(fell_back_says)s::text, 'to', coalesce((
                    SELECT 'v' || v.number FROM rollouts_configversion v
                    JOIN rollouts_rollout r ON r.config_id = v.config_id
                    WHERE r.id = %(owner)s AND v.config_hash = s.config_hash
                ), left(s.config_hash, 12)))::text""",
    # The second time on, until it has run it for STEADY times `lost_after` without a break.
    loses=f"""(t.state = ANY(%(from_lose)s) OR t.state = %(lost)s)
                    AND s.config_losses - t.losses_before >= {MANY_LOSSES}
                    AND s.config_lost_at > %(now)s - {STEADY} * {LOST_AFTER}
                    AND s.config_status IS DISTINCT FROM %(said_failed)s""",
    wanted="%(hash)s",
    timeout_s="(p.spec #>> '{pace,apply_timeout_s}')::float8",
    joins="LEFT JOIN rollouts_phase p ON p.id = t.phase_id",
    returns="phase_id",
    offer_sets={
        "previous_hash": "n.running_hash",
        "healthy": "n.healthy",
        "was_unhealthy": "n.healthy IS FALSE",
        "was_sick": "n.sick",
        "well_since": "NULL::timestamptz",
        "off_since": "NULL::timestamptz",
        "losses_before": "n.config_losses",
        "losses": "0",
        "by_effective": "false",
    },
    sets={
        "healthy": "n.healthy",
        "was_unhealthy": "t.was_unhealthy AND n.healthy IS NOT TRUE",
        "was_sick": "t.was_sick AND n.sick",
        "unhealthy_since": "CASE WHEN n.healthy IS FALSE"
        " THEN coalesce(n.health_changed_at, t.unhealthy_since, %(now)s) END",
        "well_since": """CASE WHEN n.healthy IS FALSE THEN NULL
            WHEN t.healthy IS FALSE THEN coalesce(n.health_changed_at, %(now)s)
            ELSE t.well_since END""",
        "by_effective": "n.state = %(done)s AND coalesce(n.confirmed_by <> '', t.by_effective)",
        "losses": "greatest(n.config_losses - t.losses_before, 0)",
        "off_since": """CASE
            WHEN n.state = %(lost)s AND n.loses THEN n.config_lost_at
            WHEN n.state = t.state AND n.state = ANY(%(off)s) THEN t.off_since
            WHEN n.state = ANY(%(off)s) THEN coalesce(n.config_at, %(now)s)
            WHEN n.state = %(done)s AND n.connected AND n.runs THEN NULL
            WHEN n.state = %(done)s OR (n.state = %(offered)s AND n.sent_at IS NOT NULL
                                        AND NOT n.connected)
                THEN coalesce(t.off_since, CASE WHEN NOT n.connected
                    THEN least(n.disconnected_at, %(now)s) END, %(now)s) END""",
    },
)
BACKS = Kind(
    table="rollouts_rollbacktarget",
    owner="rollback_id",
    steps=BACK_TABLE,
    done=RollbackTargetState.CONFIRMED,
    answers=(RollbackTargetState.CONFIRMED,),
    falls_back="false",
    fell_back_to="''",
    loses="false",
    wanted="t.to_hash",
    timeout_s="coalesce((r.plan #>> '{pace,apply_timeout_s}')::float8, 120)",
    joins="LEFT JOIN rollouts_rollback b ON b.id = t.rollback_id"
    " LEFT JOIN rollouts_rollout r ON r.id = b.rollout_id",
    returns="rollback_id",
)

# What is new of one target is asked for it alone, by its keys: a part of a statement that depends on
# its row is never joined to it, whatever PostgreSQL believes of how many there are.
_OBSERVE = """
    UPDATE {table} t SET (state, confirmed_at, error, online, deadline_at{columns}) = (SELECT
        n.state,
        CASE WHEN n.state <> t.state AND n.state = ANY(%(answers)s)
             THEN coalesce(n.settled_at, %(now)s) ELSE t.confirmed_at END,
        CASE WHEN n.state = t.state THEN t.error
             WHEN n.state = %(done)s THEN ''
             WHEN n.state = %(failed)s AND coalesce(n.error, '') = '' THEN %(no_reason)s
             ELSE left(coalesce(n.error, ''), %(max_error)s) END,
        n.connected,
        CASE WHEN n.state <> %(offered)s THEN t.deadline_at
             WHEN n.sent_at IS NULL AND NOT n.connected THEN NULL
             ELSE coalesce(t.deadline_at, %(now)s + make_interval(secs => n.timeout_s)) END{values}
    FROM (
        SELECT coalesce(s.connected, false) AS connected, s.disconnected_at,
            {healthy} AS healthy, coalesce(s.sick_component, '') <> '' AS sick,
            s.health_changed_at, coalesce({runs}, false) AS runs, s.config_at,
            d.settled_at, d.sent_at, d.confirmed_by, {timeout_s} AS timeout_s,
            coalesce(s.config_losses, 0) AS config_losses, s.config_lost_at,
            coalesce({loses}, false) AS loses,
            CASE
                WHEN {falls_back} THEN %(fell_back)s
                WHEN {loses} THEN %(lost)s
                WHEN t.state = ANY(%(from_confirm)s) AND d.state = %(d_applied)s
                    AND t.state <> %(lost)s THEN %(done)s
                WHEN t.state = ANY(%(from_refuse)s) AND d.state = %(d_failed)s THEN %(failed)s
                WHEN t.state = ANY(%(from_refuse)s) AND {refuses} THEN %(failed)s
                WHEN t.state = ANY(%(from_time_out)s) AND d.state = %(d_timed_out)s
                    THEN %(timed_out)s
                WHEN t.state = ANY(%(from_confirm)s) AND {runs} AND s.connected
                    AND d.state IS DISTINCT FROM %(d_open)s THEN %(done)s
                WHEN t.state = ANY(%(from_recover)s) AND {runs} AND s.connected
                    AND {healthy} IS NOT FALSE THEN %(done)s
                WHEN t.state = %(offered)s AND d.state = %(d_superseded)s THEN %(skipped)s
                ELSE t.state
            END AS state,
            CASE
                WHEN {falls_back} THEN {fell_back_to}
                WHEN {loses} THEN %(loses_it)s
                WHEN d.state = %(d_superseded)s THEN %(taken_over)s
                WHEN d.state = %(d_failed)s THEN d.error
                ELSE s.config_error
            END AS error
        FROM (SELECT 1) one
        {joins}
        LEFT JOIN agents_agentstatus s ON s.agent_id = t.agent_id
        LEFT JOIN agents_desired w ON w.agent_id = t.agent_id
        LEFT JOIN LATERAL (
            SELECT * FROM (
                SELECT y.config_hash, y.cause, y.state, y.settled_at, y.sent_at, y.error,
                       y.confirmed_by
                FROM agents_delivery y WHERE y.agent_id = t.agent_id ORDER BY y.id DESC OFFSET 0
            ) x WHERE x.cause = %(cause)s AND x.config_hash = {wanted} LIMIT 1
        ) d ON true
    ) n)
    WHERE t.{owner} = %(owner)s AND t.agent_id = ANY(%(agents)s::bigint[])
    RETURNING t.{returns}
"""
_REFUSES = (
    "s.config_hash = {wanted} AND s.config_status = %(said_failed)s AND s.config_at > t.offered_at"
)

# By the plan's choice, an agent is as well as the worst part of it.
_HEALTHY = "(CASE WHEN %(by_component)s AND s.sick_component <> '' THEN false ELSE s.healthy END)"

_OFFER = """
    UPDATE {table} t SET (state, offered_at, confirmed_at, online, deadline_at{columns}) = (SELECT
        %(to)s,
        %(now)s,
        CASE WHEN %(to)s = %(done)s THEN %(now)s END,
        n.connected,
        CASE WHEN %(waits)s AND %(to)s = %(offered)s AND n.connected
             THEN %(now)s + make_interval(secs => n.timeout_s) END{values}
    FROM (
        SELECT coalesce(s.connected, false) AS connected, {healthy} AS healthy,
               coalesce(s.sick_component, '') <> '' AS sick,
               coalesce(s.running_hash, '') AS running_hash,
               coalesce(s.config_losses, 0) AS config_losses, {timeout_s} AS timeout_s
        FROM (SELECT 1) one
        {joins}
        LEFT JOIN agents_agentstatus s ON s.agent_id = t.agent_id
    ) n)
    WHERE t.{owner} = %(owner)s AND t.agent_id = ANY(%(agents)s::bigint[])
      AND t.state = ANY(%(sources)s)
"""

# Nobody is lost who had no gateway to come back to: the time is counted from the start of the
# oldest one that is alive (`since`).
_LOSE = """
    UPDATE rollouts_target t SET state = %(to)s,
        error = CASE WHEN t.online THEN %(no_config)s ELSE %(gone)s END
    FROM rollouts_phase p
    WHERE t.rollout_id = %(owner)s AND t.state = ANY(%(sources)s) AND p.id = t.phase_id
      AND t.off_since IS NOT NULL
      AND greatest(t.off_since, %(since)s) <= %(now)s - {lost_after}
    RETURNING t.phase_id
""".replace("{lost_after}", LOST_AFTER)

# Who lost it again and again, and not for a while now: time alone ends that.
_STEADY_AGAIN = f"""
    SELECT t.agent_id FROM rollouts_target t
    JOIN rollouts_phase p ON p.id = t.phase_id
    WHERE t.phase_id = ANY(%(phases)s::bigint[]) AND t.state = %(lost)s AND t.online
      AND t.losses >= {MANY_LOSSES} AND t.off_since <= %(now)s - {STEADY} * {LOST_AFTER}
"""  # noqa: S608  constant text

_CATCH_UP = """
    UPDATE rollouts_target t SET online = s.connected
    FROM agents_agentstatus s
    WHERE t.phase_id = ANY(%(phases)s) AND t.state = %(waiting)s
      AND s.agent_id = t.agent_id AND t.online <> s.connected
    RETURNING t.phase_id
"""


def _text(statement: str, kind: Kind, sets: Mapping[str, str]) -> str:
    return statement.format(
        columns="".join(f", {column}" for column in sets),
        values="".join(f", {value}" for value in sets.values()),
        table=kind.table,
        owner=kind.owner,
        joins=kind.joins,
        wanted=kind.wanted,
        timeout_s=kind.timeout_s,
        returns=kind.returns,
        runs=runs_sql(kind.wanted),
        falls_back=kind.falls_back.format(wanted=kind.wanted),
        fell_back_to=kind.fell_back_to,
        loses=kind.loses,
        refuses=_REFUSES.format(wanted=kind.wanted),
        healthy=_HEALTHY,
    )


_KINDS = (TARGETS, BACKS)
_OBSERVING = {kind.table: _text(_OBSERVE, kind, kind.sets) for kind in _KINDS}
_OFFERING = {kind.table: _text(_OFFER, kind, kind.offer_sets) for kind in _KINDS}


def observe(kind: Kind, values: Mapping[str, Any]) -> set[int]:
    """Carry what agents said into their targets; return the ids of phases (of the rollback)."""
    return _first(_OBSERVING[kind.table], values)


def offer(kind: Kind, values: Mapping[str, Any]) -> None:
    """Note that agents were offered the version, and what they ran until now."""
    with connection.cursor() as cursor:
        cursor.execute(_OFFERING[kind.table], values)


def lose(values: Mapping[str, Any]) -> set[int]:
    """Give up on agents that are gone for too long; return the ids of their phases."""
    return _first(_LOSE, values)


def steady_again(phase_ids: Collection[int], now: datetime) -> set[int]:
    """Return the agents that lost their config again and again, and have not for a while."""
    lost = TargetState.LOST.value
    return _first(_STEADY_AGAIN, {"phases": list(phase_ids), "lost": lost, "now": now})


def catch_up(phase_ids: Collection[int]) -> set[int]:
    """Write down who of the waiting is connected; return the ids of phases that changed."""
    return _first(_CATCH_UP, {"phases": list(phase_ids), "waiting": TargetState.WAITING.value})


def _first(statement: str, values: Mapping[str, Any]) -> set[int]:
    """Run a statement and return the first column of its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {row[0] for row in cursor.fetchall()}
