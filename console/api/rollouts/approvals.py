"""`approvals`: what waits for a person, and what was decided. Deciding is an act of the rollout."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.actor import Actor
from accounts.policy import can, four_eyes
from console.api import paging, params
from console.api.shapes import approvals as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.texts import said, spoken
from rollouts.models import Approval


class ApprovalList(ApiView):
    verbs = {"GET": "rollouts.view"}

    @extend_schema(
        operation_id="approvals_list",
        parameters=[params.APPROVAL_STATE, *params.PAGE],
        responses=shapes.ApprovalList,
    )
    def get(self, request: Request) -> Answer[shapes.ApprovalList]:
        """Approvals, newest first; `state=waiting` for the inbox."""
        rows = Approval.objects.visible_to(self.actor).for_list()
        if state := params.APPROVAL_STATE.of(request):
            rows = rows.filter(state=state)
        page, following = paging.newest(rows, request)
        found = [approval_row(approval, self.actor) for approval in page]
        return Answer({"approvals": found, "next": following})


def approval_row(approval: Approval, actor: Actor) -> shapes.Approval:
    """Return one approval, and whether who asks could give it."""
    rollout = approval.phase.rollout
    answer = can(actor, "rollouts.approve", rollout)
    if answer:
        answer = four_eyes(actor, rollout.involved_ids())
    waiting = approval.state == Approval.State.WAITING
    return {
        "id": approval.pk,
        "rollout": rollout.pk,
        "number": rollout.number,
        "phase": approval.phase.name,
        "state": approval.state,
        "config": rollout.config.name,
        "version": rollout.version.number,
        "config_hash": rollout.version.config_hash,
        "digest": approval.digest,
        "evidence": spoken(approval.evidence),
        "asked_at": approval.asked_at,
        "expires_at": approval.expires_at,
        "decided_at": approval.decided_at,
        "decided_by": approval.decided_by.get_username() if approval.decided_by else None,
        "reason": said(approval.reason),
        "you_can_decide": waiting and bool(answer),
        "why_not": answer.why_not if waiting else "",
    }
