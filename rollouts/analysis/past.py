"""Recordings of rollouts that are over, as the back-test replays them, from stored measurements.

Four queries whatever the number of rollouts, and never more than `MAX_ROWS` readings; none of it asks
a source anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Q

from accounts.actor import Actor
from rollouts.analysis.backtest import PastPhase, PastRollout, Recorded, Result, back_test
from rollouts.analysis.guards import guard_of
from rollouts.analysis.measure import interval_of
from rollouts.analysis.readings import STORED_FIELDS, Reading, stored
from rollouts.analysis.specs import GateSpec, Guard, gates_of
from rollouts.engine.facts import GateKind
from rollouts.engine.states import RolloutState
from rollouts.models import EnvironmentGuard, Measurement, Phase, Rollout
from rollouts.plans.guards import default_guards
from rollouts.plans.plan import PhaseSpec, Plan

MAX_ROWS = 200_000
MAX_ROLLOUTS = 100


def back_test_last(plan: Plan, by: Actor, last: int) -> list[Result]:
    """Run a plan over the newest rollouts that are over, newest first."""
    wanted = min(max(1, last), MAX_ROLLOUTS)
    found = Rollout.objects.visible_to(by).finished().filter(started_at__isnull=False)
    return _run(plan, list(found.order_by("-id").for_back_test()[:wanted]))


def back_test_one(plan: Plan, by: Actor, rollout_id: int) -> list[Result]:
    """Run a plan over one rollout; an empty list when it is not there."""
    return _run(plan, list(Rollout.objects.visible_to(by).filter(pk=rollout_id).for_back_test()))


def _run(plan: Plan, rollouts: Sequence[Rollout]) -> list[Result]:
    return [back_test(plan, past) for past in load(plan, rollouts)]


def load(plan: Plan, rollouts: Sequence[Rollout]) -> Iterator[PastRollout]:
    """Yield the recordings of these rollouts (read with `for_back_test`), in their order."""
    guards = [guard_of(row.name, row.spec) for row in EnvironmentGuard.objects.all()]
    rows = _rows(plan, rollouts)
    by_rollout = groupby(rows, key=itemgetter("rollout_id"))
    ahead = next(by_rollout, None)
    taken = 0
    for rollout in rollouts:
        mine: list[dict[str, Any]] = []
        if ahead is not None and ahead[0] == rollout.pk:
            mine = list(ahead[1])
            ahead = next(by_rollout, None)
        taken += len(mine)
        yield _past(rollout, mine, guards, is_cut=taken >= MAX_ROWS)


def _rows(plan: Plan, rollouts: Sequence[Rollout]) -> Iterator[dict[str, Any]]:
    """Yield the readings that the plan may want, newest rollout first, oldest reading first."""
    metrics = {threshold.metric for threshold in plan.thresholds}
    metrics |= {one.metric for phase in plan.phases for one in phase.success_criteria}
    metrics |= {threshold.metric for _, threshold, _ in default_guards(plan)}
    wanted = Q(metric__in=metrics)
    if plan.rollback.triggers:
        wanted |= Q(gate__startswith="trigger:")
    found = Measurement.objects.filter(wanted, rollout__in=[one.pk for one in rollouts])
    ordered = found.order_by("-rollout_id", "at").values("rollout_id", "phase_id", *STORED_FIELDS)
    yield from ordered[:MAX_ROWS].iterator(chunk_size=5_000)


def _past(
    rollout: Rollout, rows: Sequence[dict[str, Any]], guards: Sequence[Guard], *, is_cut: bool
) -> PastRollout:
    plan = Plan.from_dict(rollout.plan)
    phases = sorted(rollout.phases.all(), key=lambda phase: phase.index)
    begun = [phase for phase in phases if phase.started_at is not None]
    stopped_at, stopped_by = _stopped(rollout)
    return PastRollout(
        id=rollout.pk,
        number=rollout.number,
        state=RolloutState(rollout.state),
        phases=tuple(
            _phase(phase, after.started_at if after else None, plan, rows, guards)
            for phase, after in zip(begun, [*begun[1:], None], strict=False)
        ),
        stopped_at=stopped_at,
        stopped_by=stopped_by,
        is_cut=is_cut,
    )


def _stopped(rollout: Rollout) -> tuple[datetime | None, str]:
    """Return when and by what the rollout was really stopped: a gate, or a person's name."""
    rollback = getattr(rollout, "rollback", None)
    if rollback is not None:
        gate = (rollback.cause.get("gate") or {}).get("gate", "")
        return rollback.decided_at, gate or rollback.requested_by_name
    if rollout.state == RolloutState.ABORTED:
        return rollout.finished_at, ""
    return None, ""


def _phase(
    phase: Phase,
    ended_at: datetime | None,
    plan: Plan,
    rows: Sequence[dict[str, Any]],
    guards: Sequence[Guard],
) -> PastPhase:
    assert phase.started_at is not None
    spec = PhaseSpec.from_dict(phase.spec)
    asked = {one.gate: one for one in gates_of(plan, spec, guards)}
    found: dict[str, list[Reading]] = {}
    for row in rows:
        one = asked.get(row["gate"])
        # As while it runs: a trigger speaks of the rollout, all else of its phase.
        if one and (row["phase_id"] == phase.pk or one.kind is GateKind.TRIGGER):
            found.setdefault(one.gate, []).append(stored(row))
    return PastPhase(
        index=phase.index,
        spec=spec,
        began_at=phase.started_at,
        ended_at=ended_at,
        deployed_at=phase.deployed_at,
        finished_at=phase.finished_at,
        observed_s=phase.observed_s,
        interval_s=interval_of(spec.duration_s),
        gates=tuple(_recorded(asked[gate], readings) for gate, readings in found.items()),
    )


def _recorded(spec: GateSpec, readings: Sequence[Reading]) -> Recorded:
    return Recorded(
        gate=spec.gate,
        kind=spec.kind,
        metric=spec.metric,
        query=spec.query,
        compare=spec.compare,
        readings=tuple(readings),
    )
