"""The numbers beside the navigation: active rollouts, approvals that wait for this person."""

from __future__ import annotations

from accounts.audit import Actor
from accounts.policy import can
from rollouts.models import Approval, Rollout


def waiting_for(actor: Actor) -> int:
    """Count the approvals this person could decide now: four eyes, so not their own work."""
    if actor.user is None or not can(actor, "rollouts.approve"):
        return 0
    own = Approval.objects.involving(actor.user.pk).values("pk")
    return Approval.objects.visible_to(actor).waiting().exclude(pk__in=own).count()


def for_navigation(actor: Actor) -> dict[str, int]:
    """Return the counts by area; at most two queries."""
    active = Rollout.objects.visible_to(actor).active().count()
    return {"rollouts": active, "approvals": waiting_for(actor)}
