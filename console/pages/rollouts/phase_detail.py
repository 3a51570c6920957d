"""One phase of a rollout: when it began and ended, who let it, its agents, what its gates read at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.lib.problems import Missing
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import phases
from console.pages.rollouts.evidence_rows import GateRow, gate_row
from console.pages.rollouts.lookup import find
from console.pages.rollouts.phases import PhaseView
from console.pages.rollouts.targets import LEGEND, Key
from console.words import events as event_words
from console.words import states as words
from console.words import times
from console.words.events import Line
from rollouts.analysis.measure import gates_now
from rollouts.analysis.scene import watched_phase
from rollouts.engine.evidence import shown
from rollouts.engine.facts import GateKind
from rollouts.models import Event, Phase, Rollout, Target

# What begins and what ends a phase; of several the last one counts.
BEGINS = frozenset({"start_phase", "approval_approved"})
ENDS = frozenset({"pass_phase", "advance", "fail_phase", "skip_phase"})


@dataclass(frozen=True, slots=True)
class PhaseGate:
    """A gate as it was read last; `is_guard` where it is watched all the time."""

    row: GateRow
    is_guard: bool
    url: str


@dataclass(frozen=True, slots=True)
class PhaseDetail:
    """The page of a phase. `began` and `ended` are the events that did it, None while nothing did;
    `is_read_now` says that the gates are those of this moment, not of the phase's end. What grows with
    time alone (`took`, `observed`) is "" until the phase is over."""

    view: PhaseView
    phase: Phase
    took: str
    observed: str
    planned: str
    began: Line | None
    ended: Line | None
    gates: list[PhaseGate]
    is_read_now: bool
    legend: list[Key]
    lines: list[Line]
    before: PhaseView | None
    after: PhaseView | None


@require_GET
@needs("rollouts.view")
def page(request: HtmxRequest, rollout_id: int, number: int) -> HttpResponse:
    """Show one phase by its place in the track, counted from 1."""
    rollout = find(rollout_id, request.actor)
    steps = sorted(rollout.phases.all(), key=lambda phase: phase.index)
    if not 1 <= number <= len(steps):
        raise Missing("phase.no_number", number=number, rollout=rollout.number, phases=len(steps))
    context = {
        "rollout": rollout,
        "detail": read(rollout, steps, number - 1, timezone.now()),
        "topics": [rollout.topic],
        "follows": ["rollout-changed"],
    }
    return render(request, "rollouts/phase/page.html", context)


def read(rollout: Rollout, steps: Sequence[Phase], place: int, now: datetime) -> PhaseDetail:
    """Read a phase; three queries, and those of the gates while it is watched."""
    phase, views = steps[place], phases.views(rollout, steps)
    events = list(Event.objects.filter(rollout=rollout, phase=phase.name).order_by("seq"))
    began, ended = _last(events, BEGINS), _last(events, ENDS)
    gates, is_now = _gates(rollout, steps, phase, ended, now)
    return PhaseDetail(
        view=views[place],
        phase=phase,
        took=times.exact_span((phase.finished_at - phase.started_at).total_seconds())
        if phase.started_at and phase.finished_at
        else "",
        observed=times.exact_span(phase.observed_s) if phase.finished_at else "",
        planned=times.exact_span(float(phase.spec.get("duration_s") or 0)),
        began=event_words.line(began) if began is not None else None,
        ended=event_words.line(ended) if ended is not None else None,
        gates=[_gate(rollout, gate) for gate in gates],
        is_read_now=is_now,
        legend=_legend(rollout, phase),
        lines=event_words.lines(events),
        before=views[place - 1] if place else None,
        after=views[place + 1] if place + 1 < len(views) else None,
    )


def _last(events: Sequence[Event], acts: frozenset[str]) -> Event | None:
    return next((event for event in reversed(events) if event.act in acts), None)


def _gates(
    rollout: Rollout, steps: Sequence[Phase], phase: Phase, ended: Event | None, now: datetime
) -> tuple[list[Mapping[str, Any]], bool]:
    """Return the gates that ended the phase, as the decision keeps them; while it is watched, as they
    are now."""
    if ended is not None:
        inputs = ended.inputs if isinstance(ended.inputs, dict) else {}
        kept = inputs.get("gates") or [inputs.get("gate")]
        return [gate for gate in kept if isinstance(gate, dict)], False
    if rollout.is_active and watched_phase(steps) == phase:
        return [shown(gate) for gate in gates_now(rollout, steps, now, skew=timedelta())], True
    return [], False


def _gate(rollout: Rollout, gate: Mapping[str, Any]) -> PhaseGate:
    kind, name = gate.get("kind"), str(gate.get("gate") or "")
    is_read = bool(name) and kind != GateKind.FLOOR  # counted from what agents said, not read
    url = reverse("rollouts:readings", args=[rollout.pk])
    return PhaseGate(
        row=gate_row(dict(gate), None),
        is_guard=kind in {GateKind.THRESHOLD, GateKind.TRIGGER},
        url=f"{url}?{urlencode({'gate': name})}" if is_read else "",
    )


def _legend(rollout: Rollout, phase: Phase) -> list[Key]:
    """Count its agents by how each stands; kinds that nobody is of are left out."""
    found = Target.objects.filter(phase=phase).order_by()
    numbers = dict.fromkeys(words.TARGET, 0)
    counted = found.values_list("state", "online", "taken_from").annotate(n=Count("pk"))
    for state, online, was, number in counted:
        numbers[words.target_kind(state, online, phase.started_at is not None, was)] += number
    base = reverse("rollouts:agents", args=[rollout.pk])
    return [
        Key(
            kind,
            words.TARGET[kind].label,
            numbers[kind],
            f"{base}?{urlencode({'phase': phase.name, 'state': kind})}",
        )
        for kind in LEGEND
        if numbers[kind]
    ]
