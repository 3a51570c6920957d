"""A rollout as it was at an earlier time: its row, its phases, its agents, its way back.

Rebuilt are states, their times and the phase at work from events; why line and counts from `RolloutMoment`; agents from the times
that their rows keep. What the rows do not keep is taken as it is now: whether an agent that had not
answered was connected, and a first outcome that another one has replaced. Nothing here is saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import CharField, DateTimeField, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Case, When
from django.db.models.functions import Coalesce

from rollouts.engine.states import (
    FINAL_STATES,
    PHASE_TABLE,
    ROLLOUT_TABLE,
    PhaseState,
    RollbackState,
    RollbackTargetState,
    RolloutState,
    TargetState,
)
from rollouts.models import Event, Phase, Rollback, RollbackTarget, Rollout, RolloutMoment, Target

_ROLLOUT_ACTS = frozenset(act for act, _ in ROLLOUT_TABLE)
_PHASE_ACTS = frozenset(act for act, _ in PHASE_TABLE)
_AT_WORK = frozenset({"start_phase", "ask_approval"})
_OVER = frozenset(
    {PhaseState.PASSED, PhaseState.FAILED, PhaseState.ROLLED_BACK, PhaseState.SKIPPED}
)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PastView:
    """A rollout at one time. `rollout` and `phases` are copies that were never saved; `is_kept` says
    whether why line and counts are known, which they are not of what ran before they were kept."""

    rollout: Rollout
    phases: list[Phase]
    at: datetime
    is_kept: bool


def as_of(rollout: Rollout, at: datetime) -> PastView:
    """Return a rollout, read with `for_detail`, as it was. Two queries."""
    moment = RolloutMoment.objects.filter(rollout=rollout, at__lte=at).order_by("-second").first()
    changes = list(
        Event.objects.filter(
            rollout=rollout, rollback=None, at__lte=at, act__in=_ROLLOUT_ACTS | _PHASE_ACTS
        )
        .order_by("seq")
        .values("act", "phase", "state_to", "at", "actor_name")
    )
    phases = [
        _phase(phase, [c for c in changes if c["phase"] == phase.name], moment)
        for phase in sorted(rollout.phases.all(), key=lambda one: one.index)
        if not _came_later(phase, rollout, at)
    ]
    was = _rollout(rollout, changes, phases, moment, at)
    return PastView(was, phases, at, moment is not None)


def _came_later(phase: Phase, rollout: Rollout, at: datetime) -> bool:
    """Whether a last wave was added only after `at`."""
    if not phase.is_rest:
        return False
    added = Event.objects.filter(rollout=rollout, act="add_rest", phase=phase.name, at__gt=at)
    return added.exists()


def _rollout(
    rollout: Rollout,
    changes: Iterable[Mapping[str, Any]],
    phases: list[Phase],
    moment: RolloutMoment | None,
    at: datetime,
) -> Rollout:
    was = copy(rollout)
    was._state = copy(rollout._state)
    was._state.fields_cache = {**rollout._state.fields_cache}
    state, current, started_at, finished_at = RolloutState.DRAFT.value, 0, None, None
    indexes = {phase.name: phase.index for phase in phases}
    for change in changes:
        act = change["act"]
        if change["phase"]:
            if act in _AT_WORK:
                current = indexes.get(change["phase"], current)
            continue
        state = change["state_to"]
        finished_at = change["at"] if state in FINAL_STATES else None
        if act == "start":
            started_at = change["at"]
    # Looks leave no trace of their own; whoever reads gates as of the last one reads them as of then.
    _tell(
        was,
        {
            "state": state,
            "current_phase": current,
            "started_at": started_at,
            "finished_at": finished_at,
            "looked_at": None if rollout.looked_at is None else min(rollout.looked_at, at),
            "why": moment.why if moment is not None else {},
            "_prefetched_objects_cache": {"phases": phases},
        },
    )
    rollback: Rollback | None = getattr(rollout, "rollback", None)
    if rollback is None or rollback.decided_at > at:
        was._state.fields_cache["rollback"] = None
    elif rollback.finished_at is None or rollback.finished_at > at:
        back = copy(rollback)
        _tell(back, {"state": RollbackState.RUNNING.value, "finished_at": None})
        was._state.fields_cache["rollback"] = back
    return was


def _phase(
    phase: Phase, changes: Iterable[Mapping[str, Any]], moment: RolloutMoment | None
) -> Phase:
    was = copy(phase)
    told: dict[str, Any] = {
        "state": PhaseState.PENDING.value,
        "started_at": None,
        "deployed_at": None,
        "finished_at": None,
        "advanced_by": "",
        "counts": moment.counts.get(str(phase.index), {}) if moment is not None else {},
    }
    for change in changes:
        act = change["act"]
        told["state"] = change["state_to"]
        if act == "start_phase":
            told["started_at"] = change["at"]
        elif act == "deployed":
            told["deployed_at"] = change["at"]
        elif act == "advance":
            told["advanced_by"] = change["actor_name"]
        if told["state"] in _OVER:
            told["finished_at"] = change["at"]
    _tell(was, told)
    return was


def _tell(was: Rollout | Rollback | Phase, told: Mapping[str, Any]) -> None:
    """Have a copy say what was so, beside its fields: that is no change of state, and never saved."""
    vars(was).update(told)


def targets_as_of(rollout: Rollout, at: datetime) -> QuerySet[Target]:
    """Return a rollout's targets with the state they had (`then`), the state they were taken back
    from (`then_from`), and the start of their phase (`begun`)."""
    back = RollbackTarget.objects.filter(rollback__rollout=rollout, agent=OuterRef("agent"))
    is_back = Q(state=TargetState.ROLLED_BACK)
    told = Case(When(is_back, then=F("taken_from")), default=F("state"), output_field=CharField())
    first = Coalesce(F("offered_at"), Value(_EVER))
    return (
        Target.objects.filter(rollout=rollout)
        .annotate(
            _told=told,
            _back_at=Coalesce(Subquery(back.values("confirmed_at")[:1]), first),
            _since=Case(
                When(_told__in=["applied", "failed"], then=Coalesce(F("confirmed_at"), first)),
                When(_told="timed_out", then=Coalesce(F("deadline_at"), first)),
                When(_told__in=["fell_back", "lost"], then=Coalesce(F("off_since"), first)),
                When(_told="offered", then=first),
                default=Value(_EVER),
                output_field=DateTimeField(),
            ),
        )
        .annotate(
            then=Case(
                When(is_back & Q(_back_at__lte=at), then=Value("rolled_back")),
                When(_since__lte=at, then=F("_told")),
                When(_told__in=["fell_back", "lost"], confirmed_at__lte=at, then=Value("applied")),
                When(offered_at__lte=at, then=Value("offered")),
                default=Value("waiting"),
                output_field=CharField(),
            ),
            then_from=Case(
                When(is_back & Q(_back_at__lte=at), then=F("taken_from")),
                default=Value(""),
                output_field=CharField(),
            ),
        )
    )


def back_as_of(rollback: Rollback, at: datetime) -> QuerySet[RollbackTarget]:
    """Return the agents on their way back with the state they had (`then`)."""
    state = RollbackTargetState
    return RollbackTarget.objects.filter(rollback=rollback).annotate(
        then=Case(
            When(state=state.NO_VERSION, then=F("state")),
            When(state=state.CONFIRMED, confirmed_at__lte=at, then=F("state")),
            When(state=state.TIMED_OUT, deadline_at__lte=at, then=F("state")),
            When(state__in=[state.FAILED, state.SKIPPED], then=F("state")),
            When(offered_at__lte=at, then=Value(state.OFFERED.value)),
            default=Value(state.WAITING.value),
            output_field=CharField(),
        )
    )
