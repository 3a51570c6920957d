"""The agents of a rollout, one by one: when each answered, what became of it, when it was back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from console.lib.texts import said
from console.pages.frame import keyset
from console.pages.frame.forms import LineField, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import targets
from console.pages.rollouts.lookup import find
from console.words import plain
from console.words import states as words
from rollouts.engine.states import RollbackTargetState
from rollouts.models import Phase, RollbackTarget, Rollout, Target


class _AgentsFilter(PageForm):
    state = LineField()
    phase = LineField()


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One agent. `answered_at` is its own word, good or bad; `error` is "" where it says what the row
    above says, and `is_same` tells so."""

    target: Target
    kind: str
    answered_at: datetime | None
    back_at: datetime | None
    error: str
    is_same: bool


@require_GET
@needs("rollouts.view")
def agents(request: HtmxRequest, rollout_id: int) -> HttpResponse:
    """List the agents of a rollout, by state and phase, with how many there are of each."""
    rollout = find(rollout_id, request.actor)
    asked = _AgentsFilter(request.GET).known()
    chosen, phase = asked["state"], asked["phase"]
    every = targets.told_of(rollout)
    in_phase = every.filter(phase__name=phase) if phase else every
    found = in_phase.filter(targets.of_kind(chosen)) if chosen else in_phase
    steps = sorted(rollout.phases.all(), key=lambda step: step.index)
    kinds = targets.counted(rollout, in_phase)
    page = keyset.in_line(found.select_related("agent", "phase"), request.GET)
    context = {
        "rollout": rollout,
        "rows": rows_of(rollout, page.rows),
        "page": page,
        "chosen": chosen,
        "phase": phase,
        "total": kinds.get(chosen, 0) if chosen else sum(kinds.values()),
        "has_way_back": hasattr(rollout, "rollback"),
        "kinds": [
            (kind, words.TARGET[kind].label, n) for kind, n in kinds.items() if n or kind == chosen
        ],
        "phases": _members(every, steps),
        "topics": [rollout.topic],
        "follows": ["rollout-changed"],
    }
    return render(request, "rollouts/agents/list.html", context)


def rows_of(rollout: Rollout, found: Sequence[Any]) -> list[TargetRow]:
    """Return the rows of targets of `targets.told_of`; one query more where the rollout came back."""
    back = RollbackTarget.objects.filter(
        rollback__rollout=rollout,
        agent__in=[target.agent_id for target in found],
        state=RollbackTargetState.CONFIRMED,
    )
    is_back = hasattr(rollout, "rollback")
    back_at = dict(back.values_list("agent_id", "confirmed_at")) if is_back else {}
    rows, above = [], ""
    for target in found:
        error = plain.first_line(said(target.error))
        is_same = bool(error) and error == above
        above = error
        rows.append(
            TargetRow(
                target=target,
                kind=words.target_kind(
                    target.then,
                    target.online,
                    target.phase.started_at is not None,
                    target.then_from,
                    target.way,
                ),
                answered_at=target.confirmed_at,
                back_at=back_at.get(target.agent_id),
                error="" if is_same else error,
                is_same=is_same,
            )
        )
    return rows


def _members(found: QuerySet[Any], steps: Sequence[Phase]) -> list[tuple[str, int]]:
    """Return each phase with how many are in it: one query."""
    counted = dict(found.order_by().values_list("phase_id").annotate(n=Count("pk")))
    return [(step.name, counted.get(step.pk, 0)) for step in steps]
