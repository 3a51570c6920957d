"""The numbers beside the navigation: active rollouts, approvals that wait for this person."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Count, Value

from accounts.actor import Actor
from accounts.policy import can
from rollouts.models import Approval, Rollout
from rollouts.models.querysets import ApprovalQuerySet


def waiting_for(actor: Actor) -> ApprovalQuerySet:
    """Return the approvals this person could decide now: four eyes, so not their own work."""
    if actor.user is None or not can(actor, "rollouts.approve"):
        return Approval.objects.none()
    own = Approval.objects.involving(actor.user.pk).values("pk")
    return Approval.objects.visible_to(actor).waiting().exclude(pk__in=own)


def for_navigation(actor: Actor) -> dict[str, int]:
    """Return the counts by area, in one query because every page asks."""
    active = _counted("rollouts", Rollout.objects.visible_to(actor).active())
    waiting = _counted("approvals", waiting_for(actor))
    return {row["area"]: row["n"] for row in active.union(waiting, all=True)}


def _counted(area: str, found: models.QuerySet[Any]) -> models.QuerySet[Any, Any]:
    """Return one row (area, n), or none when there is nothing to count."""
    named = found.order_by().annotate(area=Value(area, output_field=models.CharField()))
    counted: models.QuerySet[Any, Any] = named.values("area").annotate(n=Count("pk"))
    return counted
