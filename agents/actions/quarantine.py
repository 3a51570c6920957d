"""Keep a hash from an agent, or from the fleet, until a person lifts it (spec section 1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.models import Quarantine
from console.lib import hints
from console.lib.problems import Refused
from console.lib.texts import Text, to_column


def quarantine(
    *,
    config_hash: str,
    agent_ids: Iterable[int] | None,
    outcome: str,
    by: Actor,
    reason: Text | str,
    cause: str = "",
    now: datetime | None = None,
) -> int:
    """Quarantine a hash for these agents, or for the fleet when `agent_ids` is None.

    Returns how many quarantines are new; those that exist already stay as they are. Raises Denied.
    """
    require(by, "quarantine.add")
    ids: list[int | None] = [None] if agent_ids is None else [*sorted(agent_ids)]
    values: list[Any] = [
        config_hash,
        outcome,
        cause,
        to_column(reason),
        by.name,
        now or timezone.now(),
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO agents_quarantine (agent_id, config_hash, outcome, cause, reason, "by", at,
                                           lifted_by, lift_reason)
            SELECT a.id, %s, %s, %s, %s, %s, %s, '', ''
            FROM unnest(%s::bigint[]) AS a(id)
            ON CONFLICT DO NOTHING
            """,
            [*values, ids],
        )
        added: int = cursor.rowcount
        if added:
            transaction.on_commit(lambda: hints.mark_dirty("quarantines", "agents"))
            audit.record(
                actor=by,
                act="quarantine.add",
                object_kind="config_hash",
                object_id=config_hash,
                reason=reason,
                details={"agents": "all" if agent_ids is None else added, "outcome": outcome},
                at=now,
            )
    return added


def live_of(
    config_hash: str,
    *,
    agent: int | None = None,
    fleet_only: bool = False,
    upto: int | None = None,
) -> QuerySet[Quarantine]:
    """Return what keeps a hash away now: from one agent, from the fleet as such (`fleet_only`), or
    from anybody; up to the id `upto`, where one is given."""
    live = Quarantine.objects.filter(config_hash=config_hash, lifted_at=None)
    if upto is not None:
        live = live.filter(pk__lte=upto)
    if agent is not None:
        return live.filter(agent=agent)
    return live.filter(agent=None) if fleet_only else live


def lift(
    kept: QuerySet[Quarantine], *, by: Actor, reason: str, now: datetime | None = None
) -> list[Quarantine]:
    """Allow a hash again where these quarantines, all of one hash, keep it away. It is offered only by
    the next push. `rollouts.actions.lift_quarantine` also tells the timelines.

    Returns what was lifted. Raises Denied, and Refused without a reason or when nothing is left.
    """
    require(by, "quarantine.lift")
    if not reason.strip():
        raise Refused("quarantine.say_why")
    with transaction.atomic():
        found = list(kept.order_by("pk").select_for_update(of=("self",), no_key=True))
        lifted = [one for one in found if one.lifted_at is None]
        if not lifted:
            raise _nothing_left(found)
        for one in lifted:
            one.lifted_at, one.lifted_by, one.lift_reason = now or timezone.now(), by.name, reason
        Quarantine.objects.bulk_update(
            lifted, ["lifted_at", "lifted_by", "lift_reason"], batch_size=500
        )
        transaction.on_commit(lambda: hints.mark_dirty("quarantines", "agents"))
        audit.record(
            actor=by,
            act="quarantine.lift",
            object_kind="config_hash",
            object_id=lifted[0].config_hash,
            reason=reason,
            details={"agents": _whom(lifted), "lifted": len(lifted)},
        )
    return lifted


def _whom(lifted: Sequence[Quarantine]) -> str | int:
    """Return from whom it was kept: "all" for the fleet, else from how many agents."""
    if any(one.agent_id is None for one in lifted):
        return "all"
    return len(lifted)


def _nothing_left(found: Sequence[Quarantine]) -> Refused:
    if len(found) == 1:
        return Refused("quarantine.lifted_already", by=found[0].lifted_by)
    return Refused("quarantine.nothing_to_lift")
