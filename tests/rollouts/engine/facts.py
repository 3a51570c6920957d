"""Facts for decision tables: a rollout as plain as can be, changed where a case says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rollouts.engine.facts import (
    Counts,
    GateFacts,
    GateKind,
    GuardAction,
    Level,
    PhaseFacts,
    RolloutFacts,
    Verdict,
)
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.plans.plan import PhaseSpec, Plan, RollbackRules
from tests.make.times import NOW

DONE = Counts(members=10, offered=10, applied=10, confirmed=10, on_new=10)


def plan(**changes: Any) -> Plan:
    phases = (
        PhaseSpec("canary", 0.1, 60.0),
        PhaseSpec("all", 1.0, 60.0),
    )
    return Plan(**{"name": "two", "phases": phases, "bake_s": 60.0, **changes})


def no_rollback() -> Plan:
    return plan(rollback=RollbackRules(enabled=False))


def phase(
    index: int = 0,
    state: PhaseState = PhaseState.OBSERVING,
    counts: Counts = DONE,
    *,
    pace: dict[str, Any] | None = None,
    **changes: Any,
) -> PhaseFacts:
    spec = plan().phases[index]
    spec = replace(spec, pace=replace(spec.pace, **(pace or {})))
    values: dict[str, Any] = {"observed_s": 0.0, "manual": False, "started_at": NOW, **changes}
    return PhaseFacts(index=index, name=spec.name, state=state, spec=spec, counts=counts, **values)


def rollout(
    *phases: PhaseFacts, state: RolloutState = RolloutState.RUNNING, **changes: Any
) -> RolloutFacts:
    rows = list(phases) or [phase()]
    if len(rows) == 1:
        rows.append(phase(1, PhaseState.PENDING, Counts(members=90, waiting=90)))
    begun = [
        p.index for p in rows if p.state not in {PhaseState.PENDING, PhaseState.AWAITING_APPROVAL}
    ]
    values: dict[str, Any] = {
        "plan": plan(),
        "watched": begun[-1] if begun else None,
        **changes,
    }
    return RolloutFacts(state=state, phases=tuple(rows), **values)


def gate(verdict: Verdict = Verdict.PASS, **changes: Any) -> GateFacts:
    """A criterion; the readings it stands on are not the decision's business."""
    values: dict[str, Any] = {
        "gate": "criterion:failure_rate",
        "kind": GateKind.CRITERION,
        "metric": "failure_rate",
        "title": "Failure rate",
        "sentence": "Failure rate is 2 %.",
        **changes,
    }
    return GateFacts(verdict=verdict, **values)


def guard(level: Level = Level.NONE, *, firing: bool = False, **changes: Any) -> GateFacts:
    """A threshold: amber at warning, acting when it fires."""
    verdict = Verdict.FAIL if firing else Verdict.PASS
    values: dict[str, Any] = {"action": GuardAction.ROLLBACK, **changes}
    return gate(
        verdict,
        gate="threshold:failure_rate",
        kind=GateKind.THRESHOLD,
        level=level,
        firing=firing,
        **values,
    )


PASS, FAIL = gate(), gate(Verdict.FAIL)
TOO_FEW = gate(Verdict.INSUFFICIENT)
SILENT = gate(Verdict.INSUFFICIENT, no_data_since=NOW)
WARNING = guard(Level.WARNING)
CRITICAL = guard(Level.CRITICAL, firing=True)
