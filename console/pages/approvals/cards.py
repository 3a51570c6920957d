"""One approval as a person reads it before deciding: what changes, what was seen, what it does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from accounts.actor import Actor
from accounts.models import Role, User
from accounts.policy import can, four_eyes
from console.pages.configs.inline import Inline, bodies_of, changed_lines
from console.pages.rollouts import evidence_rows, phases
from console.pages.rollouts.evidence_rows import GateRow
from console.pages.rollouts.page import coverage_of
from console.pages.said import NO_ERRORS, ErrorsView, view_of
from console.words import states as words
from console.words import times
from console.words.expected import expected
from rollouts.drafts.expected import stretches
from rollouts.engine.facts import Counts
from rollouts.errors import report, said
from rollouts.errors.groups import Faults
from rollouts.limits.freeze import Freeze, Window, frozen, next_freeze
from rollouts.limits.windows import saved_windows
from rollouts.models import Approval, Measurement, Phase, Rollout, Target
from rollouts.plans.plan import Plan

AHEAD = timedelta(hours=24)  # freezes that are looked for
NAMES = 8  # people who may approve, by name


@dataclass(frozen=True, slots=True)
class PassedPhase:
    """A phase before the one asked about: how its agents ended and how long it was observed."""

    name: str
    counts: Counts
    look: words.Look
    observed: str


@dataclass(frozen=True, slots=True)
class ApprovalCard:
    """One approval, ready to be drawn. `why_not` is empty when this person can decide it; `people` are
    those who can. `ready` of `targets` have a version to go back to; `not_covered` says which kinds
    of agents no phase has met. `frozen` holds it now, `freeze` comes within a day."""

    approval: Approval
    phase_name: str
    members: int
    passed: list[PassedPhase]
    failed: int
    errors: ErrorsView
    gates: list[GateRow]
    why_not: str
    people: list[str]
    change: Inline | None
    not_covered: str
    ready: int
    targets: int
    frozen: Freeze | None
    freeze: Freeze | None
    expected: str

    @property
    def can_tick(self) -> bool:
        """Whether it may be approved together with others: when nothing it asks for is red."""
        return not self.why_not and all(gate.passes for gate in self.gates)


@dataclass(frozen=True, slots=True)
class _Read:
    """What all cards need, read once."""

    steps: Mapping[int, Sequence[Phase]]
    errors: Mapping[int, Faults]
    latest: dict[tuple[int, str], Measurement]
    ready: Mapping[int, tuple[int, int]]
    bodies: Mapping[str, bytes]
    windows: Sequence[Window]
    approvers: Sequence[tuple[int, str]]


def questions(approvals: Sequence[Approval], actor: Actor, now: datetime) -> list[ApprovalCard]:
    """Return approvals read `for_list()`; six more queries, whatever their number."""
    if not approvals:
        return []
    read = _read([approval.phase.rollout for approval in approvals])
    return [_question(approval, read, actor, now) for approval in approvals]


def _read(rollouts: Sequence[Rollout]) -> _Read:
    ids = {rollout.pk for rollout in rollouts}
    steps: dict[int, list[Phase]] = defaultdict(list)
    for phase in Phase.objects.filter(rollout__in=ids).order_by("rollout_id", "index"):
        steps[phase.rollout_id].append(phase)
    ready = Target.objects.filter(rollout__in=ids).order_by().values_list("rollout_id")
    counted = ready.annotate(ready=Count("pk", filter=~Q(previous_hash="")), all=Count("pk"))
    approvers = User.objects.filter(
        is_active=True, role_bindings__role=Role.APPROVER, role_bindings__scope="*"
    )
    versions = [v for r in rollouts for v in (r.previous_version, r.version)]
    return _Read(
        steps=steps,
        errors=_errors_of(steps),
        latest=evidence_rows.latest_of(ids),
        ready={pk: (back, every) for pk, back, every in counted},
        bodies=bodies_of(versions),
        windows=saved_windows(),
        approvers=list(approvers.order_by("username").values_list("pk", "username").distinct()),
    )


def _errors_of(steps: Mapping[int, Sequence[Phase]]) -> dict[int, Faults]:
    """Return what agents said in those rollouts in which some failed: one query, or none."""
    failing = [pk for pk, of in steps.items() if any(phases.counts_of(p).told.bad for p in of)]
    return said.of_rollouts(failing) if failing else {}


def _question(approval: Approval, read: _Read, actor: Actor, now: datetime) -> ApprovalCard:
    rollout, steps = approval.phase.rollout, read.steps[approval.phase.rollout_id]
    before = [p for p in steps if p.index < approval.phase.index]
    own = next(p for p in steps if p.pk == approval.phase_id)
    involved = rollout.involved_ids()
    answer = can(actor, "rollouts.approve", rollout)
    if answer:
        answer = four_eyes(actor, involved)
    errors = read.errors.get(rollout.pk)
    ready, targets = read.ready.get(rollout.pk, (0, 0))
    floor = evidence_rows.floor_now(steps, own.index)
    return ApprovalCard(
        approval=approval,
        phase_name=phases.title(approval.phase),
        members=phases.counts_of(own).members,
        passed=[_passed(phase, rollout) for phase in before],
        failed=sum(phases.counts_of(p).bad for p in before),
        errors=view_of(report.report(errors, rollout.version, rollout.previous_version))
        if errors
        else NO_ERRORS,
        gates=evidence_rows.rows_of(approval, read.latest, floor),
        why_not=answer.why_not,
        people=[name for pk, name in read.approvers if pk not in involved][:NAMES],
        change=changed_lines(rollout, read.bodies),
        not_covered=_not_covered(rollout),
        ready=ready,
        targets=targets,
        frozen=frozen(read.windows, own.environments, now),
        freeze=next_freeze(read.windows, own.environments, now, AHEAD),
        expected=_expected(rollout, own, steps),
    )


def _passed(phase: Phase, rollout: Rollout) -> PassedPhase:
    observed = times.exact_span(phase.observed_s) if phase.observed_s else ""
    return PassedPhase(
        phases.title(phase), phases.counts_of(phase), phases.look_of(phase, rollout), observed
    )


def _not_covered(rollout: Rollout) -> str:
    """Return what the first phase did not meet, "" when it met every kind of agent."""
    coverage = coverage_of(rollout)
    return "" if coverage.is_whole else coverage.text


def _expected(rollout: Rollout, own: Phase, steps: Sequence[Phase]) -> str:
    members = {phase.name: phases.counts_of(phase).members for phase in steps}
    rest = next((members[p.name] for p in steps if p.is_rest), 0)
    return expected(stretches(Plan.from_dict(rollout.plan), members, after=own.name, rest=rest))
