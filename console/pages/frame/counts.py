"""The numbers beside the navigation: what needs this person, active rollouts, questions to decide."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import CharField, Count, Value
from django.db.models.functions import Cast

from accounts.actor import Actor
from accounts.policy import can, roles_of
from agents.models import Agent
from console.lib.kept_statement import KeptStatement
from rollouts.attention.sources import split, statement
from rollouts.models import Approval, Rollout
from rollouts.models.querysets import ApprovalQuerySet

COUNTED = "counted"  # stands as kind in rows that are only a number
PRODUCTION = "production"  # counts 1 when there are living agents of production


def waiting_for(actor: Actor) -> ApprovalQuerySet:
    """Return the approvals this person could decide now: four eyes, so not their own work."""
    if actor.user is None or not can(actor, "rollouts.approve"):
        return Approval.objects.none()
    own = Approval.objects.involving(actor.user.pk).values("pk")
    return Approval.objects.visible_to(actor).waiting().exclude(pk__in=own)


Row = tuple[str, str, str]
_STATEMENT = KeptStatement()


def read(actor: Actor, now: datetime) -> list[Row]:
    """Return rows of three texts: what needs somebody, and the numbers of the navigation. One query,
    because every page asks; a page that shows more of it reads them once for both."""

    def build() -> models.QuerySet[Any, Any]:
        active = _counted("rollouts", Rollout.objects.visible_to(actor).active())
        waiting = _counted("approvals", waiting_for(actor))
        return statement(actor, now, active, waiting, _production(actor))

    who = actor.user.pk if actor.user is not None else None
    return _STATEMENT.rows((who, actor.kind, roles_of(actor)), now, build)


def for_navigation(rows: list[Row]) -> dict[str, int]:
    """Return the counts by area.

    "needs" are the things that nobody has acknowledged and the questions that this person can decide.
    """
    counts = {area: int(n) for kind, area, n in rows if kind == COUNTED}
    things, _seen = split(rows)
    return {**counts, "needs": len(things) + counts.get("approvals", 0)}


def _production(actor: Actor) -> models.QuerySet[Any, Any]:
    """Return one row when there is an agent of production: the first that is found, none is counted."""
    one: models.QuerySet[Any, Any] = Agent.objects.visible_to(actor).living().in_production()
    named = one.order_by().annotate(
        counted=Value(COUNTED, CharField()),
        area=Value(PRODUCTION, CharField()),
        n=Value("1", CharField()),
    )
    row: models.QuerySet[Any, Any] = named.values_list("counted", "area", "n")[:1]
    return row


def _counted(area: str, found: models.QuerySet[Any]) -> models.QuerySet[Any, Any]:
    """Return one row (COUNTED, area, n), or none when there is nothing to count."""
    named = found.order_by().annotate(
        counted=Value(COUNTED, CharField()), area=Value(area, CharField())
    )
    number = named.values("counted", "area").annotate(n=Cast(Count("pk"), CharField()))
    rows: models.QuerySet[Any, Any] = number.values_list("counted", "area", "n")
    return rows
