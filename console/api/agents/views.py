"""`agents`: the inventory, and how one agent is found. See `parts` for the rest."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db.models import Q
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from agents.models import Agent
from agents.models.querysets import AgentQuerySet
from agents.selectors.grammar import parse
from console.api import params, streams
from console.api.agents import rows as agent_rows
from console.api.shapes import agents as shapes
from console.api.views import ApiView
from console.lib.problems import Missing
from rollouts.selectors import notes_on, selector_q


class AgentList(ApiView):
    verbs = {"GET": "agents.view"}

    @extend_schema(
        operation_id="agents_list",
        parameters=[params.SELECTOR, params.STATUS, params.AFTER, params.LIMIT_OF_AGENTS],
        responses=shapes.AgentList,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Agents that match `selector` (everything without one), streamed.

        Complete up to 10,000 agents when no `limit` is given; `next` is the `after` of the next
        page, or null.
        """
        limit = params.LIMIT_OF_AGENTS.of(request)
        after = params.AFTER.of(request)
        now = timezone.now()
        asked = agents_asked(self, params.SELECTOR.of(request), params.STATUS.of(request), now)
        found = agent_rows.rows(asked, now, after=after, limit=limit + 1)
        return streams.listing(request._request, "agents", found, limit, notes=self.notes(request))

    def notes(self, request: Request) -> list[str]:
        """Return what may be wrong with a selector that can be read."""
        text = params.SELECTOR.of(request)
        return notes_on([parse(text)]) if text else []


def agents_asked(
    view: ApiView, text: str, statuses: Collection[str], now: datetime
) -> AgentQuerySet:
    """Return the agents that a selector and status words mean. Raises Invalid with the place of a
    typo."""
    agents = Agent.objects.visible_to(view.actor).with_status_word(now)
    agents = agents.in_status(statuses)
    return agents.filter(selector_q(parse(text))) if text else agents


def agent_of(view: ApiView, uid: str) -> AgentQuerySet:
    """Return the queryset of exactly one visible agent. Raises Missing."""
    missing = Missing("api.agent_missing")
    try:
        wanted = uuid.UUID(uid)
    except ValueError:
        raise missing from None
    visible = Agent.objects.visible_to(view.actor).with_status_word(timezone.now())
    ids = visible.filter(Q(instance_uid=wanted) | Q(aliases__instance_uid=wanted))
    pk = ids.order_by("pk").values_list("pk", flat=True).first()
    if pk is None:
        raise missing
    return visible.filter(pk=pk)
