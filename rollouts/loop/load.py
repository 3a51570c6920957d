"""Reads the facts that one decision is made from; the only other module here that sees rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Min

from accounts.actor import named
from agents.models import GatewayLease
from rollouts.analysis.measure import gates_now
from rollouts.analysis.scene import watched_phase
from rollouts.delivering.joiners import count_joiners
from rollouts.engine.evidence import standing
from rollouts.engine.facts import (
    ApprovalFacts,
    ApprovalState,
    Counts,
    GateFacts,
    PhaseFacts,
    RolloutFacts,
)
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.limits.freeze import frozen
from rollouts.limits.windows import saved_windows
from rollouts.loop.begin import blockers_of, blocking_findings
from rollouts.models import Approval, Phase, Rollout, Target
from rollouts.plans.plan import PhaseSpec, Plan


def load_facts(rollout: Rollout, phases: Sequence[Phase], now: datetime) -> RolloutFacts:
    """Return everything `decide` reads. A handful of small queries whatever the fleet's size."""
    plan = Plan.from_dict(rollout.plan)
    watched = watched_phase(phases)
    gates = gates_now(rollout, phases, now)
    scheduled = rollout.state == RolloutState.SCHEDULED
    due = rollout.start_at is None or now >= rollout.start_at
    blockers = blockers_of(rollout) if scheduled and due else ()
    starts = scheduled and due and not blockers
    return RolloutFacts(
        state=RolloutState(rollout.state),
        plan=plan,
        phases=tuple(load_phases(rollout, phases, gates, now)),
        gates=tuple(gates),
        watched=watched.index if watched is not None else None,
        start_at=rollout.start_at,
        blockers=blockers,
        readiness_blocks=blocking_findings(rollout) if starts else (),
        gateways=_gateways(now) if any(p.counts.get("waiting") for p in phases) else 1,
        joiners=count_joiners(rollout) if _wants_joiners(rollout, phases) else 0,
        paused_by=named(rollout.paused_by_name),
        pause_reason=rollout.pause_reason,
        baked_s=rollout.baked_s,
        version=f"v{rollout.version.number}",
        previous=f"v{rollout.previous_version.number}" if rollout.previous_version else "",
    )


def _gateways(now: datetime) -> int:
    alive = GatewayLease.objects.filter(stopped_at=None, renewed_at__gt=now - GatewayLease.LIFE)
    return alive.count()


def _wants_joiners(rollout: Rollout, phases: Sequence[Phase]) -> bool:
    """Newcomers matter only when the last wave is next."""
    if rollout.state != RolloutState.RUNNING:
        return False
    left = [phase for phase in phases if phase.state != PhaseState.PASSED]
    return not left or (left[0].is_rest and left[0].state == PhaseState.PENDING)


def load_phases(
    rollout: Rollout, phases: Sequence[Phase], gates: Sequence[GateFacts], now: datetime
) -> list[PhaseFacts]:
    """Return the facts of each phase as its row stands now."""
    windows = saved_windows()
    dues: dict[int, datetime | None] = {}
    if any(phase.state == PhaseState.DEPLOYING for phase in phases):
        dues = dict(
            Target.objects.filter(rollout=rollout, state="offered", deadline_at__isnull=False)
            .values_list("phase_id")
            .annotate(Min("deadline_at"))
        )
    facts = []
    for phase in phases:
        freeze = frozen(windows, phase.environments, now) if windows else None
        facts.append(
            PhaseFacts(
                index=phase.index,
                name=phase.name,
                state=PhaseState(phase.state),
                manual=phase.manual,
                spec=PhaseSpec.from_dict(phase.spec),
                counts=Counts.from_dict(phase.counts),
                is_rest=phase.is_rest,
                started_at=phase.started_at,
                observed_s=phase.observed_s,
                oldest_due_at=dues.get(phase.pk),
                approval=_approval(phase, gates),
                advanced_by=phase.advanced_by,
                frozen_until=freeze.until if freeze else None,
                frozen_by=freeze.by if freeze else "",
            )
        )
    return facts


def _approval(phase: Phase, gates: Sequence[GateFacts]) -> ApprovalFacts:
    if phase.state != PhaseState.AWAITING_APPROVAL:
        return ApprovalFacts()
    row = Approval.objects.filter(phase=phase).select_related("decided_by").order_by("-id").first()
    if row is None:
        return ApprovalFacts()
    return ApprovalFacts(
        state=ApprovalState(row.state),
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        decided_by=row.decided_by.get_username() if row.decided_by else "",
        reason=row.reason,
        stands=row.evidence.get("standing") == standing(gates),
    )
