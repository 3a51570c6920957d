"""Freezes a preview into phases and targets: the preview is the plan (spec section 4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from django.db.models.fields.json import KeyTextTransform

from rollouts.delivering.counts import recount
from rollouts.drafts.preview import REST, Preview
from rollouts.engine.membership import takes_away
from rollouts.models import Phase, Rollout, Target
from rollouts.plans.plan import PhaseSpec, Plan
from rollouts.sql.membership import write_targets


def freeze(rollout: Rollout, plan: Plan, preview: Preview, now: datetime) -> list[Phase]:
    """Write the phases and their targets as the preview shows them."""
    names = [spec.name for spec in plan.phases]
    phases = [_phase(rollout, index, spec) for index, spec in enumerate(plan.phases)]
    members: list[Sequence[int]] = [shown.new for shown in preview.phases]
    if preview.rest:
        phases.append(rest_phase(rollout, plan, names))
        members.append(preview.rest)
    Phase.objects.bulk_create(phases)
    for phase, agents in zip(phases, members, strict=True):
        if agents:
            is_last = phase.index == len(plan.phases) - 1
            waits = phase.is_rest or takes_away(phase.weight, is_last=is_last)
            write_targets(rollout.pk, phase.pk, agents, waits_for_away=waits)
    _note_environments(rollout, phases)
    recount(phases, now)
    return phases


def _note_environments(rollout: Rollout, phases: Sequence[Phase]) -> None:
    """Write down in which environments each phase is: freeze windows and guards ask for it."""
    found: dict[int, set[str]] = defaultdict(set)
    environment = KeyTextTransform("env", "agent__labels")
    targets = Target.objects.filter(rollout=rollout).annotate(environment=environment)
    for phase_id, value in targets.values_list("phase_id", "environment").distinct():
        found[phase_id].add(value)
    for phase in phases:
        phase.environments = sorted(filter(None, found[phase.pk]))
    Phase.objects.bulk_update(phases, ["environments"])


def unfreeze(rollout: Rollout) -> None:
    """Take the membership of a draft back, before it is frozen anew."""
    Target.objects.filter(rollout=rollout)._raw_delete("default")
    rollout.phases.all().delete()


def freeze_anew(rollout: Rollout, fresh: Preview, now: datetime) -> None:
    """Put what was counted now in the place of the draft's membership."""
    unfreeze(rollout)
    rollout.preview, rollout.preview_at = fresh.to_dict(), now
    rollout.save(update_fields=["preview", "preview_at"])
    freeze(rollout, Plan.from_dict(rollout.plan), fresh, now)


def rest_phase(
    rollout: Rollout, plan: Plan, taken: Sequence[str], environments: Sequence[str] = ()
) -> Phase:
    """Return the last wave, unsaved: guarded and observed like the last phase of the plan."""
    name = REST if REST not in taken else f"{REST}-{len(taken)}"
    spec = replace(
        plan.phases[-1],
        name=name,
        weight=1.0,
        selector=None,
        auto_advance=True,
        description="",
    )
    phase = _phase(rollout, len(taken), spec)
    phase.environments = list(environments)
    phase.is_rest = True
    return phase


def _phase(rollout: Rollout, index: int, spec: PhaseSpec) -> Phase:
    return Phase(
        rollout=rollout,
        index=index,
        name=spec.name,
        manual=spec.is_manual,
        weight=spec.weight,
        selector=spec.selector or "",
        spec=asdict(spec),
    )
