"""The only writer of the states of targets: agents in a rollout, and agents on their way back.

Both are one machine (`engine.states`: TARGET_TABLE, BACK_TABLE), so each statement is one text; the
table, the word for "it said so", and from which states an act leads are what differs. The agent's
own word decides (spec section 4): its delivery of this very hash settles as applied or failed.
Health never undoes a FAILED; a late APPLIED replaces a time-out, which was only silence.

The caller holds the lock of the rollout (of the rollback), which orders all writers of its targets.

Statements over many agents join nothing to targets: PostgreSQL has no statistics of a rollout that
has just begun, and would loop over all its rows for each of them (docs/performance.md, "Tables with
a history").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from agents.actions.settle import settle_timed_out
from agents.models import ConfigStatus, Delivery
from agents.running import runs_sql
from console.lib.sql import among
from rollouts.engine.states import (
    BACK_TABLE,
    TARGET_TABLE,
    RollbackTargetState,
    TargetState,
    step_of,
)
from rollouts.models import Rollback, RollbackTarget, Rollout, Target

MAX_ERROR = 2000
TAKEN_OVER = "something else was offered to it meanwhile"
SILENT = "did not confirm in time"

Owner = Rollout | Rollback


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the statements differ in. `wanted` and `timeout_s` are SQL over a target `t` and `joins`;
    `sets` are columns that only this kind has, `returns` names the group that changed."""

    table: str
    owner: str
    steps: Mapping[tuple[str, str], str]
    done: str
    answers: tuple[str, ...]
    wanted: str
    timeout_s: str
    joins: str
    returns: str
    offer_sets: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)


_TARGETS = _Kind(
    table="rollouts_target",
    owner="rollout_id",
    steps=TARGET_TABLE,
    done=TargetState.APPLIED,
    answers=(TargetState.APPLIED, TargetState.FAILED),
    wanted="%(hash)s",
    timeout_s="(p.spec #>> '{pace,apply_timeout_s}')::float8",
    joins="LEFT JOIN rollouts_phase p ON p.id = t.phase_id",
    returns="phase_id",
    offer_sets={
        "previous_hash": "n.running_hash",
        "healthy": "n.healthy",
        "was_unhealthy": "n.healthy IS FALSE",
    },
    sets={
        "healthy": "n.healthy",
        "was_unhealthy": "t.was_unhealthy AND n.healthy IS NOT TRUE",
        "unhealthy_since": "CASE WHEN n.healthy IS FALSE"
        " THEN coalesce(n.health_changed_at, t.unhealthy_since, %(now)s) END",
    },
)
_BACKS = _Kind(
    table="rollouts_rollbacktarget",
    owner="rollback_id",
    steps=BACK_TABLE,
    done=RollbackTargetState.CONFIRMED,
    answers=(RollbackTargetState.CONFIRMED,),
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
             ELSE left(coalesce(n.error, ''), %(max_error)s) END,
        n.connected,
        CASE WHEN n.state <> %(offered)s THEN t.deadline_at
             WHEN n.sent_at IS NULL AND NOT n.connected THEN NULL
             ELSE coalesce(t.deadline_at, %(now)s + make_interval(secs => n.timeout_s)) END{values}
    FROM (
        SELECT coalesce(s.connected, false) AS connected, {healthy} AS healthy,
            s.health_changed_at,
            d.settled_at, d.sent_at, {timeout_s} AS timeout_s,
            CASE
                WHEN t.state = ANY(%(from_confirm)s) AND d.state = %(d_applied)s THEN %(done)s
                WHEN t.state = ANY(%(from_refuse)s) AND d.state = %(d_failed)s THEN %(failed)s
                WHEN t.state = ANY(%(from_time_out)s) AND d.state = %(d_timed_out)s
                    THEN %(timed_out)s
                WHEN t.state = %(timed_out)s AND {runs} THEN %(done)s
                WHEN t.state = ANY(%(from_refuse)s) AND {refuses} THEN %(failed)s
                WHEN t.state = %(offered)s AND d.state = %(d_superseded)s THEN %(skipped)s
                ELSE t.state
            END AS state,
            CASE
                WHEN d.state = %(d_superseded)s THEN %(taken_over)s
                WHEN d.state = %(d_failed)s THEN d.error
                ELSE s.config_error
            END AS error
        FROM (SELECT 1) one
        {joins}
        LEFT JOIN agents_agentstatus s ON s.agent_id = t.agent_id
        LEFT JOIN LATERAL (
            SELECT * FROM (
                SELECT y.config_hash, y.cause, y.state, y.settled_at, y.sent_at, y.error
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
_HEALTHY = "CASE WHEN %(by_component)s AND s.sick_component <> '' THEN false ELSE s.healthy END"

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
               coalesce(s.running_hash, '') AS running_hash, {timeout_s} AS timeout_s
        FROM (SELECT 1) one
        {joins}
        LEFT JOIN agents_agentstatus s ON s.agent_id = t.agent_id
    ) n)
    WHERE t.{owner} = %(owner)s AND t.agent_id = ANY(%(agents)s::bigint[])
      AND t.state = ANY(%(sources)s)
"""

_CATCH_UP = """
    UPDATE rollouts_target t SET online = s.connected
    FROM agents_agentstatus s
    WHERE t.phase_id = ANY(%(phases)s) AND t.state = %(waiting)s
      AND s.agent_id = t.agent_id AND t.online <> s.connected
    RETURNING t.phase_id
"""


def _text(statement: str, kind: _Kind, sets: Mapping[str, str]) -> str:
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
        refuses=_REFUSES.format(wanted=kind.wanted),
        healthy=_HEALTHY,
    )


_KINDS = (_TARGETS, _BACKS)
_OBSERVING = {kind.table: _text(_OBSERVE, kind, kind.sets) for kind in _KINDS}
_OFFERING = {kind.table: _text(_OFFER, kind, kind.offer_sets) for kind in _KINDS}


def _kind_of(owner: Owner) -> _Kind:
    return _TARGETS if isinstance(owner, Rollout) else _BACKS


def _rows(owner: Owner) -> QuerySet[Any]:
    if isinstance(owner, Rollout):
        return Target.objects.filter(rollout=owner)
    return RollbackTarget.objects.filter(rollback=owner)


def _of(owner: Owner, agents: Collection[int]) -> QuerySet[Any]:
    return _rows(owner).filter(among("agent_id", agents))


def _hash_of(owner: Owner) -> str:
    """What a rollout wants all its targets on; on the way back each has a hash of its own."""
    return owner.version.config_hash if isinstance(owner, Rollout) else ""


def _values(owner: Owner, agents: Collection[int], now: datetime, **more: Any) -> dict[str, Any]:
    kind = _kind_of(owner)
    return {
        "owner": owner.pk,
        "hash": _hash_of(owner),
        "agents": list(agents),
        "now": now,
        "done": str(kind.done),
        "offered": TargetState.OFFERED.value,
        "by_component": isinstance(owner, Rollout) and owner.plan.get("health") == "component",
        **more,
    }


def observe(owner: Owner, agents: Collection[int], now: datetime) -> set[int]:
    """Carry what these agents said into their targets. Returns the ids of the phases (of the
    rollback) concerned. Costs what changed: call it with agents that have news."""
    if not agents:
        return set()
    kind = _kind_of(owner)
    values = _values(
        owner,
        agents,
        now,
        cause=owner.topic,
        answers=[str(state) for state in kind.answers],
        failed=TargetState.FAILED.value,
        timed_out=TargetState.TIMED_OUT.value,
        skipped=TargetState.SKIPPED.value,
        d_applied=Delivery.State.APPLIED.value,
        d_failed=Delivery.State.FAILED.value,
        d_timed_out=Delivery.State.TIMED_OUT.value,
        d_superseded=Delivery.State.SUPERSEDED.value,
        said_failed=ConfigStatus.FAILED.value,
        taken_over=TAKEN_OVER,
        max_error=MAX_ERROR,
        **{f"from_{act}": _heard(kind, act) for act in ("confirm", "refuse", "time_out")},
    )
    with connection.cursor() as cursor:
        cursor.execute(_OBSERVING[kind.table], values)
        return {row[0] for row in cursor.fetchall()}


def _heard(kind: _Kind, act: str) -> list[str]:
    """From which states an agent's word leads on: not from one in which nothing was offered yet."""
    return [state for state in step_of(kind.steps, act)[0] if state != TargetState.WAITING]


def offer(owner: Owner, agents: Sequence[int], now: datetime, *, waits: bool = True) -> None:
    """Note that these agents are offered the version, and what each ran until now: its way back.

    `waits` false: nobody counts the time until they answer.
    """
    _mark(owner, "offer", agents, now, waits)


def find(owner: Owner, agents: Sequence[int], now: datetime) -> None:
    """Note that these agents run what they are wanted on already."""
    _mark(owner, "found", agents, now, False)


def _mark(owner: Owner, act: str, agents: Sequence[int], now: datetime, waits: bool) -> None:
    if not agents:
        return
    kind = _kind_of(owner)
    sources, to = step_of(kind.steps, act)
    with connection.cursor() as cursor:
        values = _values(owner, agents, now, sources=sources, to=to, waits=waits)
        cursor.execute(_OFFERING[kind.table], values)


def time_out(owner: Owner, now: datetime) -> tuple[set[int], set[int]]:
    """Give up waiting for targets whose deadline has passed. Returns their agents and their phases
    (their rollback).

    A delivery that settled in this very moment keeps its outcome: such a target is observed again.
    """
    kind = _kind_of(owner)
    late = _rows(owner).filter(state=TargetState.OFFERED, deadline_at__lte=now)
    own_hash = () if isinstance(owner, Rollout) else ("to_hash",)
    due = list(late.order_by("agent_id").values_list("agent_id", kind.returns, *own_hash))
    if not due:
        return set(), set()
    by_hash: dict[str, list[int]] = {}
    for agent_id, _, *own in due:
        by_hash.setdefault(own[0] if own else _hash_of(owner), []).append(agent_id)
    silent: set[int] = set()
    for config_hash, agents in sorted(by_hash.items()):
        silent.update(settle_timed_out(agents, config_hash, now))
    _change(owner, "time_out", _of(owner, silent), error=SILENT)
    everyone = {row[0] for row in due}
    observe(owner, everyone - silent, now)
    return everyone, {row[1] for row in due}


def skip(owner: Owner, agents: Collection[int] | None = None, error: str = "") -> int:
    """Let go of targets that were not sent it, or not any more; None: of all that wait."""
    rows = _rows(owner).filter(state="waiting") if agents is None else _of(owner, agents)
    return _change(owner, "skip", rows, **({"error": error} if error else {}))


def refuse(rollback: Rollback, agents: Collection[int], error: str) -> int:
    """Note that these agents cannot have the version from before."""
    return _change(rollback, "refuse", _of(rollback, agents), error=error)


def take_back(rollout: Rollout, agents: Collection[int], **fields: Any) -> int:
    """Note that these agents have no part in the rollout any more."""
    return _change(rollout, "take_back", _of(rollout, agents), **fields)


def ask_again(rollback: Rollback) -> int:
    """Let the stragglers of a rollback wait for its next wave."""
    return _change(rollback, "ask_again", _rows(rollback), deadline_at=None, error="")


def _change(owner: Owner, act: str, rows: QuerySet[Any], **fields: Any) -> int:
    sources, to = step_of(_kind_of(owner).steps, act)
    return rows.filter(state__in=sources).update(state=to, **fields)


def see_connections(phase_ids: Collection[int]) -> set[int]:
    """Look who of the waiting targets of these phases is connected. Returns phases that changed.

    Nobody sends news about an agent that nothing was offered to yet, so this is asked from time
    to time, of begun phases only.
    """
    if not phase_ids:
        return set()
    values: dict[str, Any] = {"phases": list(phase_ids), "waiting": TargetState.WAITING.value}
    with connection.cursor() as cursor:
        cursor.execute(_CATCH_UP, values)
        return {row[0] for row in cursor.fetchall()}


def extend_deadlines(owner: Owner, by_s: float) -> None:
    """Give outstanding targets the time in which nobody looked: an absent worker rushes nothing."""
    kind = _kind_of(owner)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {kind.table} SET deadline_at = deadline_at + make_interval(secs => %s)"  # noqa: S608
            f" WHERE {kind.owner} = %s AND state = %s AND deadline_at IS NOT NULL",
            [by_s, owner.pk, TargetState.OFFERED.value],
        )
