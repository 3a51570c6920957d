"""The only door through which states change (style.md section 3).

Each function checks the transition table, writes the state, one immutable event and the audit row
in the caller's transaction, and registers the hints for live pages. The caller holds the lock of the
rollout row (of the rollback row for a rollback by selector).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.actor import Actor
from accounts.audit import record
from console.lib import hints
from console.lib.texts import Text
from console.lib.transitions import NotAllowed, next_state
from rollouts.engine.states import (
    ACTIVE_STATES,
    PHASE_TABLE,
    ROLLBACK_TABLE,
    ROLLOUT_TABLE,
    RolloutState,
)
from rollouts.models import Approval, Event, Phase, Rollback, Rollout


@dataclass(frozen=True, slots=True)
class Cause:
    """Who changes a state, when, why, and on what evidence (JSON, kept with the event)."""

    by: Actor
    now: datetime
    reason: Text | str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)


def change_rollout(rollout: Rollout, act: str, cause: Cause, **fields: Any) -> Event:
    """Take the rollout one transition further. Raises NotAllowed when the table has no such step."""
    before = rollout.state
    rollout.state = next_state(ROLLOUT_TABLE, act, before)
    rollout.revision += 1
    rollout.next_tick_at = cause.now if _wants_ticks(rollout.state) else None
    for name, value in fields.items():
        setattr(rollout, name, value)
    rollout.save(update_fields=["state", "revision", "next_tick_at", *fields])
    return write_event(rollout, act, cause, state_from=before, state_to=rollout.state)


def change_phase(rollout: Rollout, phase: Phase, act: str, cause: Cause, **fields: Any) -> Event:
    """Take one phase of a locked rollout one transition further; the rollout's revision grows."""
    before = phase.state
    phase.state = next_state(PHASE_TABLE, act, before)
    for name, value in fields.items():
        setattr(phase, name, value)
    phase.save(update_fields=["state", *fields])
    rollout.revision += 1
    if _wants_ticks(rollout.state):
        rollout.next_tick_at = cause.now
    rollout.save(update_fields=["revision", "next_tick_at"])
    return write_event(
        rollout, act, cause, phase=phase.name, state_from=before, state_to=phase.state
    )


def change_rollback(rollback: Rollback, act: str, cause: Cause, **fields: Any) -> Event:
    """Take a rollback one transition further; its event stands in its rollout's timeline too."""
    before = rollback.state
    rollback.state = next_state(ROLLBACK_TABLE, act, before)
    for name, value in fields.items():
        setattr(rollback, name, value)
    rollback.save(update_fields=["state", *fields])
    return write_event(
        rollback.rollout, act, cause, rollback=rollback, state_from=before, state_to=rollback.state
    )


def change_approval(
    rollout: Rollout, approval: Approval, state: Approval.State, cause: Cause
) -> Event:
    """Answer, lapse, expire or withdraw a question. Only a waiting or approved one can change."""
    before = approval.state
    if before not in {Approval.State.WAITING, Approval.State.APPROVED}:
        raise NotAllowed(f"an approval that is {before} does not become {state}")
    approval.state = state
    approval.decided_at, approval.decided_by = cause.now, cause.by.user
    approval.reason = cause.reason
    approval.save(update_fields=["state", "decided_at", "decided_by", "reason"])
    touch(rollout, cause.now)
    return write_event(
        rollout,
        f"approval_{state.value}",
        cause,
        phase=approval.phase.name,
        state_from=before,
        state_to=state.value,
    )


def touch(rollout: Rollout, now: datetime) -> None:
    """Say that something people decide on has changed: revision, and a look at once."""
    rollout.revision += 1
    if _wants_ticks(rollout.state):
        rollout.next_tick_at = now
    rollout.save(update_fields=["revision", "next_tick_at"])


def write_event(
    rollout: Rollout | None,
    act: str,
    cause: Cause,
    *,
    rollback: Rollback | None = None,
    phase: str = "",
    state_from: str = "",
    state_to: str = "",
) -> Event:
    """Write one line of the timeline and its audit row. The lock gives the next number."""
    owner = {"rollout": rollout} if rollout is not None else {"rollback": rollback}
    last = Event.objects.filter(**owner).aggregate(last=Max("seq"))["last"] or 0
    event = Event.objects.create(
        rollout=rollout,
        rollback=rollback,
        seq=last + 1,
        at=cause.now,
        actor_kind=cause.by.kind,
        actor_name=cause.by.name,
        act=act,
        phase=phase,
        state_from=state_from,
        state_to=state_to,
        reason=cause.reason,
        inputs=dict(cause.inputs),
    )
    subject: Rollout | Rollback | None = rollout or rollback
    assert subject is not None, "an event belongs to a rollout or to a rollback"
    record(
        actor=cause.by,
        act=f"{'rollouts' if rollout is not None else 'rollbacks'}.{act}",
        object_kind="rollout" if rollout is not None else "rollback",
        object_id=subject.pk,
        object_name=str(subject),
        reason=cause.reason,
        details={"phase": phase, "from": state_from, "to": state_to, "event": event.seq},
        at=cause.now,
    )
    topics = [subject.topic] + ([rollback.topic] if rollback is not None and rollout else [])
    transaction.on_commit(lambda: hints.mark_dirty(*topics, "rollouts", "fleet", "approvals"))
    return event


def _wants_ticks(state: str) -> bool:
    """A rolling-back rollout is driven by its rollback; scheduled ones wait for their time."""
    return state == RolloutState.SCHEDULED or (
        state in ACTIVE_STATES and state != RolloutState.ROLLING_BACK
    )
