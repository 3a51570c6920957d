"""Rollouts as scripts and pages read them: the REST shape of spec section 7."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.utils import timezone

from console.api.shapes import rollouts as shapes
from console.api.shapes.events import Event as EventRow
from console.lib.texts import said, spoken
from rollouts.analysis.measure import gates_now
from rollouts.analysis.scene import watched_phase
from rollouts.engine.evidence import shown
from rollouts.engine.facts import Counts, GateFacts
from rollouts.models import Event, Phase, Rollback, Rollout

ENDED = ("pass_phase", "advance", "fail_phase")
LOOKED_LATELY = timedelta(seconds=30)


def rollout_view(rollout: Rollout, now: datetime | None = None) -> shapes.Rollout:
    """Return one rollout. Give one read with `for_detail()`, or each part is a query more."""
    now = now or timezone.now()
    phases = sorted(rollout.phases.all(), key=lambda phase: phase.index)
    watched = watched_phase(phases)
    gates = {}
    if watched is not None:
        gates[watched.pk] = gates_now(rollout, phases, judged_at(rollout, now), skew=timedelta())
    kept = _gates_at_end(rollout, phases) if len(phases) > 1 else {}
    why = spoken(rollout.why or {})
    return {
        "id": rollout.pk,
        "number": rollout.number,
        "title": rollout.title,
        "state": rollout.state,
        "revision": rollout.revision,
        "why": why.get("say", ""),
        "next": why.get("next", ""),
        "why_code": why.get("code", ""),
        "deadline": why.get("deadline"),
        "config": rollout.config.name,
        "version": rollout.version.number,
        "config_hash": rollout.version.config_hash,
        "previous_version": rollout.previous_version.number if rollout.previous_version else None,
        "selector": rollout.selector,
        "plan": rollout.plan_name,
        "phases": [
            phase_view(
                phase,
                [gate_view(gate) for gate in gates[phase.pk]]
                if phase.pk in gates
                else kept.get(phase.name, []),
            )
            for phase in phases
        ],
        "counts": counts_view(phases),
        "when_busy": rollout.when_busy,
        "accepted": rollout.accepted,
        "retry_of": rollout.retry_of_id,
        "superseded_by": rollout.superseded_by_id,
        "rollback": _rollback_id(rollout),
        "tick_error": said(rollout.tick_error),
        "created_at": rollout.created_at,
        "created_by": _name(rollout.created_by),
        "start_at": rollout.start_at,
        "started_at": rollout.started_at,
        "started_by": _name(rollout.started_by),
        "finished_at": rollout.finished_at,
        "url": f"{settings.PUBLIC_URL}/rollouts/{rollout.pk}/",
    }


def judged_at(rollout: Rollout, now: datetime) -> datetime:
    """Return the moment the gates are shown for: the last look, so that they say what the why line
    says; now, where nobody has looked for long; or the decision that ended the watching."""
    rollback: Rollback | None = getattr(rollout, "rollback", None)
    if rollback is not None:
        return rollback.decided_at
    looked_at: datetime | None = rollout.finished_at or rollout.looked_at
    is_lately = looked_at is not None and abs(now - looked_at) < LOOKED_LATELY
    return looked_at if looked_at is not None and (rollout.finished_at or is_lately) else now


def phase_view(phase: Phase, gates: list[shapes.Gate]) -> shapes.RolloutPhase:
    """Return one phase with its counts and gates."""
    counts = Counts.from_dict(phase.counts).told
    return {
        "name": phase.name,
        "state": phase.state,
        "weight": phase.weight,
        "manual": phase.manual,
        "rest": phase.is_rest,
        "members": counts.members,
        "offered": counts.offered,
        "confirmed": counts.confirmed,
        "applied": counts.applied,
        "confirmed_by_effective_config": counts.by_effective,
        "on_new": counts.on_new,
        "failed": counts.bad,
        "refused": counts.refused,
        "timed_out": counts.timed_out,
        "fell_back": counts.fell_back,
        "lost": counts.lost,
        "unhealthy": counts.unhealthy,
        "offline": counts.offline,
        "waiting": counts.waiting,
        "rolled_back": counts.rolled_back,
        "duration_s": phase.spec.get("duration_s"),
        "observed_s": round(phase.observed_s, 1),
        "started_at": phase.started_at,
        "deployed_at": phase.deployed_at,
        "finished_at": phase.finished_at,
        "advanced_by": phase.advanced_by,
        "gates": gates,
    }


def gate_view(gate: GateFacts) -> shapes.Gate:
    """Return one gate as scripts read it: `threshold` is the limit."""
    seen = _kept(shown(gate))
    note = said(gate.note)
    return {**seen, "threshold": gate.limit, "firing": gate.firing, "note": note}


def counts_view(phases: list[Phase]) -> shapes.RolloutCounts:
    """Return the numbers of the whole rollout. `failed` counts each way to fail, which stand beside
    it, and who failed stays counted after the way back; `on_new` are agents that are connected and
    run the version now, by their own word."""
    all_counts = [Counts.from_dict(phase.counts).told for phase in phases]
    targets = sum(c.members for c in all_counts)
    on_new = sum(c.on_new for c in all_counts)
    return {
        "targets": targets,
        "on_new": on_new,
        "on_previous": targets - on_new,
        "failed": sum(c.bad for c in all_counts),
        "refused": sum(c.refused for c in all_counts),
        "timed_out": sum(c.timed_out for c in all_counts),
        "fell_back": sum(c.fell_back for c in all_counts),
        "lost": sum(c.lost for c in all_counts),
        "unhealthy": sum(c.unhealthy for c in all_counts),
        "offline": sum(c.offline for c in all_counts),
        "rolled_back": sum(c.rolled_back for c in all_counts),
    }


def events_of(rollout: Rollout, after_seq: int = 0, limit: int = 200) -> list[EventRow]:
    """Return events in their order, after a sequence number."""
    events = Event.objects.filter(rollout=rollout, seq__gt=after_seq).order_by("seq")[:limit]
    return [event_row(event) for event in events]


def event_row(event: Event) -> EventRow:
    """Return one event as scripts read it."""
    return {
        "seq": event.seq,
        "at": event.at,
        "actor": event.actor_name,
        "actor_kind": event.actor_kind,
        "act": event.act,
        "phase": event.phase,
        "from": event.state_from,
        "to": event.state_to,
        "reason": said(event.reason),
        "inputs": spoken(event.inputs),
    }


def _gates_at_end(rollout: Rollout, phases: list[Phase]) -> dict[str, list[shapes.Gate]]:
    """Return the readings kept with the event that ended each phase: one query."""
    ended = Event.objects.filter(rollout=rollout, act__in=ENDED).order_by("seq")
    return {
        phase: [{**_kept(gate), "threshold": gate["limit"]} for gate in inputs.get("gates", [])]
        for phase, inputs in ended.values_list("phase", "inputs")
    }


def _kept(gate: Mapping[str, Any]) -> shapes.Gate:
    """Return a gate as `engine.evidence.shown` made it, now or when the phase ended."""
    return cast(shapes.Gate, spoken(gate))


def _rollback_id(rollout: Rollout) -> int | None:
    found: Rollback | None = getattr(rollout, "rollback", None)
    return found.pk if found is not None else None


def _name(user: Any) -> str | None:
    return user.get_username() if user is not None else None
