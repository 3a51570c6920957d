"""Freezes a preview into phases and targets: the preview is the plan (spec section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from django.db import connection

from rollouts.delivering.counts import recount
from rollouts.models import Phase, Rollout, Target
from rollouts.plans.plan import PhaseSpec, Plan
from rollouts.preview import REST, Preview

_FREEZE = """
    INSERT INTO rollouts_target (rollout_id, phase_id, agent_id, position, state, active,
                                 previous_hash, online, was_unhealthy, error)
    SELECT %(rollout)s, %(phase)s, m.agent_id, m.place - 1, 'waiting', false,
           coalesce(s.running_hash, ''), coalesce(s.connected, false), false, ''
    FROM unnest(%(agents)s::bigint[]) WITH ORDINALITY AS m(agent_id, place)
    LEFT JOIN agents_agentstatus s ON s.agent_id = m.agent_id
"""


def freeze(rollout: Rollout, plan: Plan, preview: Preview, now: datetime) -> list[Phase]:
    """Write the phases and their targets as the preview shows them."""
    names = [spec.name for spec in plan.phases]
    phases = [
        _phase(rollout, index, spec, shown.environments)
        for index, (spec, shown) in enumerate(zip(plan.phases, preview.phases, strict=True))
    ]
    members: list[Sequence[int]] = [shown.new for shown in preview.phases]
    if preview.rest:
        phases.append(rest_phase(rollout, plan, names, preview.rest_environments))
        members.append(preview.rest)
    Phase.objects.bulk_create(phases)
    with connection.cursor() as cursor:
        for phase, agents in zip(phases, members, strict=True):
            if agents:
                values: dict[str, Any] = {
                    "rollout": rollout.pk,
                    "phase": phase.pk,
                    "agents": list(agents),
                }
                cursor.execute(_FREEZE, values)
    recount(phases, now)
    return phases


def unfreeze(rollout: Rollout) -> None:
    """Take the membership of a draft back, before it is frozen anew."""
    Target.objects.filter(rollout=rollout)._raw_delete("default")
    rollout.phases.all().delete()


def rest_phase(
    rollout: Rollout, plan: Plan, taken: Sequence[str], environments: Sequence[str]
) -> Phase:
    """Return the last wave, unsaved: guarded and observed like the last phase of the plan."""
    name = REST if REST not in taken else f"{REST}-{len(taken)}"
    spec = replace(
        plan.phases[-1],
        name=name,
        weight=1.0,
        selector=None,
        auto_advance=True,
        description="everyone else who matches (promote_rest)",
    )
    phase = _phase(rollout, len(taken), spec, environments)
    phase.is_rest = True
    return phase


def _phase(rollout: Rollout, index: int, spec: PhaseSpec, environments: Sequence[str]) -> Phase:
    return Phase(
        rollout=rollout,
        index=index,
        name=spec.name,
        manual=spec.is_manual,
        weight=spec.weight,
        selector=spec.selector or "",
        environments=[value for value in environments if value],
        spec=asdict(spec),
    )
