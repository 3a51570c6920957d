"""Approvals: what waits for this person, what waits for others, what was decided."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.policy import can
from console.lib.problems import Denied, Invalid, Missing, Refused, Stale
from console.pages.approvals.cards import questions
from console.pages.frame.forms import MAX_ID, LineField, Listed, NamedField, PageForm, whole
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import phases
from rollouts.actions.approve import approve
from rollouts.models import Approval

DECIDED = 20


class SeveralForm(PageForm):
    """Which questions, the evidence that was seen of each (`digest.ID`), and one reason."""

    id = Listed(whole)
    digest = NamedField()
    reason = LineField()


@require_GET
@needs("rollouts.view")
def inbox(request: HtmxRequest) -> HttpResponse:
    """Show what waits, oldest first, and the newest decisions."""
    visible = Approval.objects.visible_to(request.actor).for_list()
    waiting = list(visible.waiting().order_by("asked_at"))
    cards = questions(waiting, request.actor, timezone.now())
    decided = visible.exclude(state=Approval.State.WAITING).order_by("-decided_at", "-pk")
    context = {
        "mine": [q for q in cards if not q.why_not],
        "others": [q for q in cards if q.why_not],
        "decided": list(decided[:DECIDED]),
        "may_approve": can(request.actor, "rollouts.approve"),
        "topics": ["approvals"],
        "follows": ["approvals-changed", "rollouts-changed"],
    }
    return render(request, "approvals/inbox.html", context)


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def approve_several(request: HtmxRequest) -> HttpResponse:
    """Approve what is ticked, each under its own lock and by the evidence that was seen; each has
    its own answer, so one that moved on holds up no other."""
    if request.method == "GET":
        return HttpResponseRedirect(reverse("approvals:inbox"))
    given = SeveralForm(request.POST).known()
    ids = [pk for pk in given["id"] if pk is not None and pk <= MAX_ID]
    asked = Approval.objects.visible_to(request.actor).for_list().filter(pk__in=ids)
    for approval in asked.order_by("asked_at"):
        digest = (given["digest"].get(str(approval.pk)) or [None])[-1]
        _approve_one(request, approval, digest, given["reason"])
    if not ids:
        messages.warning(request, _("Nothing was ticked, so nothing was approved."))
    return HttpResponseRedirect(reverse("approvals:inbox"), status=303)


def _approve_one(request: HtmxRequest, approval: Approval, digest: str | None, reason: str) -> None:
    rollout = approval.phase.rollout
    named = {"phase": phases.title(approval.phase), "number": rollout.number}
    try:
        approve(
            rollout_id=rollout.pk,
            phase=approval.phase.name,
            by=request.actor,
            reason=reason,
            # Without what was seen there is nothing to bind the answer to.
            seen_digest=digest or "",
        )
    except (Denied, Invalid, Missing, Refused, Stale) as problem:
        says = _("%(phase)s of %(number)s was not approved: %(why)s")
        messages.error(request, says % {**named, "why": problem.detail})
    else:
        messages.success(request, _("%(phase)s of %(number)s is approved.") % named)


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
