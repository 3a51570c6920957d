"""Approvals: what waits for this person, what waits for others, what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.policy import can, four_eyes
from console.lib.problems import Missing
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import evidence_rows, phases
from console.pages.rollouts.evidence_rows import GateRow
from console.pages.said import NO_ERRORS, ErrorsView, view_of
from console.words import states as words
from rollouts.engine.facts import Counts
from rollouts.errors import report, said
from rollouts.errors.groups import Faults
from rollouts.models import Approval, Measurement, Phase

DECIDED = 20


@dataclass(frozen=True, slots=True)
class ApprovalCard:
    """One approval, ready to be drawn. `why_not` is empty when this person can decide it."""

    approval: Approval
    phase_name: str
    members: int
    passed: list[tuple[str, Counts, words.Look]]
    failed: int
    errors: ErrorsView
    gates: list[GateRow]
    why_not: str


def questions(approvals: Sequence[Approval], actor: Actor) -> list[ApprovalCard]:
    """Return approvals read `for_list()`; at most three more queries, whatever their number, and one
    for each text of a config that was not read before."""
    rollouts = {a.phase.rollout_id for a in approvals}
    steps: dict[int, list[Phase]] = {}
    for phase in Phase.objects.filter(rollout__in=rollouts).order_by("rollout_id", "index"):
        steps.setdefault(phase.rollout_id, []).append(phase)
    latest = evidence_rows.latest_of(rollouts)
    failing = _errors_of(steps)
    return [
        _question(a, steps[a.phase.rollout_id], latest, failing.get(a.phase.rollout_id), actor)
        for a in approvals
    ]


def _errors_of(steps: dict[int, list[Phase]]) -> dict[int, Faults]:
    """Return what agents said in those rollouts in which some failed: one query, or none."""
    failing = [pk for pk, of in steps.items() if any(phases.counts_of(p).told.bad for p in of)]
    return said.of_rollouts(failing) if failing else {}


def _question(
    approval: Approval,
    steps: Sequence[Phase],
    latest: dict[tuple[int, str], Measurement],
    errors: Faults | None,
    actor: Actor,
) -> ApprovalCard:
    rollout = approval.phase.rollout
    before = [p for p in steps if p.index < approval.phase.index]
    own = next(p for p in steps if p.pk == approval.phase_id)
    answer = can(actor, "rollouts.approve", rollout)
    if answer:
        answer = four_eyes(actor, rollout.involved_ids())
    return ApprovalCard(
        approval=approval,
        phase_name=phases.title(approval.phase),
        members=phases.counts_of(own).members,
        passed=[(phases.title(p), phases.counts_of(p), phases.look_of(p, rollout)) for p in before],
        failed=sum(phases.counts_of(p).bad for p in before),
        errors=view_of(report.report(errors, rollout.version, rollout.previous_version))
        if errors
        else NO_ERRORS,
        gates=evidence_rows.rows_of(approval, latest),
        why_not=answer.why_not,
    )


@require_GET
@needs("rollouts.view")
def inbox(request: HtmxRequest) -> HttpResponse:
    """Show what waits, oldest first, and the newest decisions."""
    visible = Approval.objects.visible_to(request.actor).for_list()
    waiting = questions(list(visible.waiting().order_by("asked_at")), request.actor)
    decided = visible.exclude(state=Approval.State.WAITING).order_by("-decided_at", "-pk")
    context = {
        "mine": [q for q in waiting if not q.why_not],
        "others": [q for q in waiting if q.why_not],
        "decided": list(decided[:DECIDED]),
        "topics": ["approvals"],
        "follows": ["approvals-changed", "rollouts-changed"],
    }
    return render(request, "approvals/inbox.html", context)


@require_GET
@needs("rollouts.view")
def detail(request: HtmxRequest, approval_id: int) -> HttpResponse:
    """Go to the approval in the inbox, or to its rollout when it is decided: links in messages."""
    found = Approval.objects.visible_to(request.actor).filter(pk=approval_id)
    approval = found.select_related("phase").first()
    if approval is None:
        raise Missing(_("There is no approval %(id)d.") % {"id": approval_id})
    if approval.state == Approval.State.WAITING:
        return HttpResponseRedirect(f"{reverse('approvals:inbox')}#approval-{approval.pk}")
    return HttpResponseRedirect(reverse("rollouts:timeline", args=[approval.phase.rollout_id]))
