"""The only writer of the states of targets: agents in a rollout, and agents on their way back.

Both are one machine (`engine.states`: TARGET_TABLE, BACK_TABLE), so each statement is one text; the
table, the word for "it said so", and from which states an act leads are what differs.

What an agent runs now decides, not the best word it ever gave (spec section 4). Its delivery of this
very hash settles as applied or failed (while it is open, all it said is from before); from then on its newest status counts: another version that it
says it runs is a fall back, a connection or config that is gone for too long makes it lost. Health
alone never undoes a FAILED; a late APPLIED does, and replaces a time-out, which was only silence.

The caller holds the lock of the rollout (of the rollback), which orders all writers of its targets.

Statements over many agents join nothing to targets: PostgreSQL has no statistics of a rollout that
has just begun, and would loop over all its rows for each of them (docs/performance.md, "Tables with
a history").
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Min, QuerySet

from agents import deliveries
from agents.models import ConfigStatus, Delivery, GatewayLease
from console.lib.sql import among
from console.lib.texts import Text, text, to_column
from console.lib.transitions import step_of
from rollouts.engine.states import TARGET_TABLE, TargetState
from rollouts.models import Rollback, RollbackTarget, Rollout, Target
from rollouts.sql import targets as sql
from rollouts.sql.targets import BACKS, TARGETS, Kind

MAX_ERROR = 2000
TAKEN_OVER = text("target.taken_over")
SILENT = text("target.silent")
NO_REASON = text("target.no_reason")
GONE = text("target.gone")
LOSES_IT = text("target.loses_it")
FELL_BACK = "target.fell_back"
NO_CONFIG = text("target.no_config")
_SAID = ("confirm", "recover", "refuse", "fall_back", "time_out", "lose")

Owner = Rollout | Rollback


def _kind_of(owner: Owner) -> Kind:
    return TARGETS if isinstance(owner, Rollout) else BACKS


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
        fell_back=TargetState.FELL_BACK.value,
        lost=TargetState.LOST.value,
        off=[TargetState.FELL_BACK.value, TargetState.LOST.value],
        skipped=TargetState.SKIPPED.value,
        d_open=Delivery.State.OPEN.value,
        d_applied=Delivery.State.APPLIED.value,
        d_failed=Delivery.State.FAILED.value,
        d_timed_out=Delivery.State.TIMED_OUT.value,
        d_superseded=Delivery.State.SUPERSEDED.value,
        said_failed=ConfigStatus.FAILED.value,
        said_applied=ConfigStatus.APPLIED.value,
        taken_over=to_column(TAKEN_OVER),
        no_reason=to_column(NO_REASON),
        fell_back_says=FELL_BACK,
        loses_it=to_column(LOSES_IT),
        max_error=MAX_ERROR,
        **{f"from_{act}": _heard(kind, act) for act in _SAID},
    )
    return sql.observe(kind, values)


def _heard(kind: Kind, act: str) -> list[str]:
    """From which states an agent's word leads on: not from one in which nothing was offered yet."""
    sources = [source for name, source in kind.steps if name == act]
    return [state for state in sources if state != TargetState.WAITING]


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
    sql.offer(kind, _values(owner, agents, now, sources=sources, to=to, waits=waits))


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
        silent.update(deliveries.time_out(agents, config_hash, now))
    _change(owner, "time_out", _of(owner, silent), error=SILENT)
    everyone = {row[0] for row in due}
    observe(owner, everyone - silent, now)
    return everyone, {row[1] for row in due}


def lose(rollout: Rollout, now: datetime) -> set[int]:
    """Give up on agents that have been gone since the change for longer than `lost_after`, or say
    that they have no config any more. Returns the ids of their phases."""
    alive = GatewayLease.objects.filter(stopped_at=None, renewed_at__gt=now - GatewayLease.LIFE)
    since = alive.aggregate(since=Min("started_at"))["since"]
    if since is None:
        return set()
    sources, to = step_of(TARGET_TABLE, "lose")
    values = _values(
        rollout,
        (),
        now,
        sources=sources,
        to=to,
        since=since,
        gone=to_column(GONE),
        no_config=to_column(NO_CONFIG),
    )
    return sql.lose(values)


def steady_again(rollout: Rollout, phase_ids: Collection[int], now: datetime) -> set[int]:
    """Observe agents of these phases that lost their config again and again, and have not for a
    while. Returns the ids of phases that changed."""
    return observe(rollout, sql.steady_again(phase_ids, now), now)


def skip(owner: Owner, agents: Collection[int] | None = None, error: Text | str = "") -> int:
    """Let go of targets that were not sent it, or not any more; None: of all that wait."""
    rows = _rows(owner).filter(state="waiting") if agents is None else _of(owner, agents)
    return _change(owner, "skip", rows, **({"error": error} if error else {}))


def refuse(rollback: Rollback, agents: Collection[int], error: Text | str) -> int:
    """Note that these agents cannot have the version from before."""
    return _change(rollback, "refuse", _of(rollback, agents), error=error)


def take_back(rollout: Rollout, agents: Collection[int], **fields: Any) -> int:
    """Note that these agents have no part in the rollout any more, and from which state they left."""
    rows = _of(rollout, agents)
    return _change(rollout, "take_back", rows, taken_from=F("state"), **fields)


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
    return sql.catch_up(phase_ids) if phase_ids else set()


def extend_deadlines(owner: Owner, by_s: float) -> None:
    """Give outstanding targets the time in which nobody looked: an absent worker rushes nothing."""
    if isinstance(owner, Rollout) and by_s < 0:
        # The clock was set back: what an agent did since lies in the future, and would never be late.
        Target.objects.filter(rollout=owner, off_since__isnull=False).update(
            off_since=F("off_since") + timedelta(seconds=by_s)
        )
    waiting = _rows(owner).filter(state=TargetState.OFFERED, deadline_at__isnull=False)
    waiting.update(deadline_at=F("deadline_at") + timedelta(seconds=by_s))
