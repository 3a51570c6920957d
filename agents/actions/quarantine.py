"""Keep a hash from an agent, or from the fleet, until a person lifts it (spec section 1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.models import Quarantine
from console.lib import hints
from console.lib.problems import Missing, Refused
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
            )
    return added


def lift(*, quarantine_id: int, by: Actor, reason: str, now: datetime | None = None) -> Quarantine:
    """Allow a hash again where it was quarantined. It is offered only by the next push.

    Raises Denied, Missing, and Refused without a reason or when it was lifted before.
    """
    require(by, "quarantine.lift")
    if not reason.strip():
        raise Refused("quarantine.say_why")
    with transaction.atomic():
        found = (
            Quarantine.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk=quarantine_id)
            .first()
        )
        if found is None:
            raise Missing("quarantine.missing")
        if found.lifted_at is not None:
            raise Refused("quarantine.lifted_already", by=found.lifted_by)
        found.lifted_at = now or timezone.now()
        found.lifted_by, found.lift_reason = by.name, reason
        found.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
        transaction.on_commit(lambda: hints.mark_dirty("quarantines", "agents"))
        audit.record(
            actor=by,
            act="quarantine.lift",
            object_kind="config_hash",
            object_id=found.config_hash,
            reason=reason,
            details={"agent": found.agent_id or "all"},
        )
    return found


def lift_version(
    *,
    config_hash: str,
    agent: int | None,
    fleet_only: bool,
    upto: int,
    by: Actor,
    reason: str,
    now: datetime | None = None,
) -> int:
    """Allow a hash again for one agent, for the fleet as such, or for everybody.

    Lifts only quarantines up to the id `upto`: what came after the person looked stays. Who refused a
    hash keeps its own quarantine with `fleet_only`. Returns how many were lifted. Raises Denied, and
    Refused without a reason or when there is nothing left to lift.
    """
    require(by, "quarantine.lift")
    if not reason.strip():
        raise Refused("quarantine.say_why")
    live = Quarantine.objects.filter(config_hash=config_hash, lifted_at=None, pk__lte=upto)
    if agent is not None:
        live = live.filter(agent=agent)
    elif fleet_only:
        live = live.filter(agent=None)
    with transaction.atomic():
        lifted = live.update(lifted_at=now or timezone.now(), lifted_by=by.name, lift_reason=reason)
        if not lifted:
            raise Refused("quarantine.nothing_to_lift")
        audit.record(
            actor=by,
            act="quarantine.lift",
            object_kind="config_hash",
            object_id=config_hash,
            reason=reason,
            details={"agent": agent or ("all" if fleet_only else "each"), "lifted": lifted},
        )
    return lifted
