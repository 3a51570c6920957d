"""`agents`: the inventory, and how one agent is found. See `parts` for the rest."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Q
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from agents.models import Agent
from agents.models.querysets import STATUS_WORDS, AgentQuerySet
from agents.selectors.grammar import parse
from console.api import params, streams
from console.api.agents import rows as agent_rows
from console.api.shapes import agents as shapes
from console.api.views import ApiView, query, whole_number
from console.lib.problems import FieldError, Invalid, Missing
from console.lib.texts import text as say
from rollouts.selectors import selector_q

COMPLETE_UP_TO = 10_000


class AgentList(ApiView):
    verbs = {"GET": "agents.view"}

    @extend_schema(
        operation_id="agents_list",
        parameters=[params.SELECTOR, params.STATUS, params.AFTER, params.LIMIT],
        responses=shapes.AgentList,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Agents that match `selector` (everything without one), streamed.

        Complete up to 10,000 agents when no `limit` is given; `next` is the `after` of the next
        page, or null.
        """
        limit = whole_number(request, "limit", COMPLETE_UP_TO, least=1, most=COMPLETE_UP_TO)
        after = whole_number(request, "after", 0)
        now = timezone.now()
        found = agent_rows.rows(self.matching(request, now), now, after=after, limit=limit + 1)
        return streams.listing(request._request, "agents", found, limit)

    def matching(self, request: Request, now: datetime) -> AgentQuerySet:
        """Return the agents of the query string. Raises Invalid with the place of a typo."""
        agents = Agent.objects.visible_to(self.actor).with_status_word(now)
        words = query(request, "status")
        agents = agents.in_status(_status_words(words) if words else ())
        text = query(request, "selector") or query(request, "q")
        return agents.filter(selector_q(parse(text))) if text else agents


def _status_words(text: str) -> list[str]:
    words = text.split(",")
    for word in words:
        if word not in STATUS_WORDS:
            known = ", ".join(STATUS_WORDS)
            raise Invalid(
                "api.unknown_words",
                name="status",
                read=word[:40],
                known=known,
                errors=[FieldError("status", say("api.among", known=known))],
            )
    return words


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
