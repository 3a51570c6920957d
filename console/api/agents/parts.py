"""One agent and what belongs to it: its deliveries, its history, what it reported in full."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from agents.models import Agent, AgentBody, AgentEvent, ComponentSet, Delivery, Quarantine
from agents.selectors.capabilities import BITS
from agents.succession import lineage
from console.api import paging, params
from console.api.agents.rows import one, shown
from console.api.agents.views import agent_of
from console.api.shapes import agents as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.problems import Missing
from console.lib.texts import said
from console.words.agent_events import details_of
from rollouts.models import Target


class AgentDetail(ApiView):
    verbs = {"GET": "agents.view"}

    @extend_schema(operation_id="agents_read", responses=shapes.AgentDetail)
    def get(self, request: Request, uid: str) -> Answer[shapes.AgentDetail]:
        """One agent, by its instance uid (also by one it had before a rename)."""
        found = agent_of(self, uid)
        agent = found.get()
        values = one(found, timezone.now())
        return Answer({**values, **more_of(agent)})


class Deliveries(ApiView):
    verbs = {"GET": "agents.view"}

    @extend_schema(
        operation_id="agents_deliveries",
        parameters=params.PAGE,
        responses=shapes.DeliveryList,
    )
    def get(self, request: Request, uid: str) -> Answer[shapes.DeliveryList]:
        """Every offer of a config to this agent and how it went, newest first; of one that took over
        from another also those of that one."""
        rows = Delivery.objects.filter(agent__in=lineage(agent_of(self, uid).get().pk))
        page, following = paging.newest(rows, request)
        return Answer({"deliveries": [_delivery(row) for row in page], "next": following})


class History(ApiView):
    verbs = {"GET": "agents.view"}

    @extend_schema(
        operation_id="agents_history",
        parameters=params.PAGE,
        responses=shapes.HistoryList,
    )
    def get(self, request: Request, uid: str) -> Answer[shapes.HistoryList]:
        """What happened to this agent (connection, health, config, commands), newest first; of one
        that took over from another also what happened to that one."""
        rows = AgentEvent.objects.filter(agent__in=lineage(agent_of(self, uid).get().pk))
        page, following = paging.newest(rows, request)
        found: list[shapes.HistoryEvent] = [
            {"at": e.at, "kind": e.kind, "details": details_of(e)} for e in page
        ]
        return Answer({"events": found, "next": following})


class Reported(ApiView):
    """A large part as the agent reported it last: health tree or effective config."""

    verbs = {"GET": "agents.view"}
    part = AgentBody.Part.HEALTH

    @extend_schema(responses=shapes.Reported)
    def get(self, request: Request, uid: str) -> Answer[shapes.Reported]:
        """The part as last reported (secrets were redacted before it was stored)."""
        rows = AgentBody.objects.filter(agent__in=agent_of(self, uid).values("pk"), part=self.part)
        body = rows.first()
        if body is None:
            raise Missing("api.not_reported")
        return Answer({"hash": body.body_hash, "at": body.at, "body": body.body})


@extend_schema_view(get=extend_schema(operation_id="agents_health"))
class Health(Reported):
    part = AgentBody.Part.HEALTH


@extend_schema_view(get=extend_schema(operation_id="agents_effective_config"))
class EffectiveConfig(Reported):
    part = AgentBody.Part.EFFECTIVE_CONFIG


def more_of(agent: Agent) -> shapes.MoreOfAgent:
    """Return what only the detail of an agent says, beside its row in the list."""
    components = ComponentSet.objects.filter(pk=agent.components_hash).first()
    quarantines = Quarantine.objects.filter(agent=agent, lifted_at=None).order_by("-pk")[:100]
    target = Target.objects.filter(agent=agent, active=True).first()
    successor = Agent.objects.filter(replaces=agent).first()
    return {
        "operator_labels": agent.operator_labels,
        "identifying": agent.identifying,
        "non_identifying": agent.non_identifying,
        "capabilities": [name for name, bit in BITS.items() if agent.has_capability(bit)],
        "components": components.names if components else [],
        "quarantined_hashes": [q.config_hash for q in quarantines],
        "rollout": target.rollout_id if target is not None else None,
        "rollout_state": target.state if target is not None else None,
        "rollout_error": shown(said(target.error)) if target is not None else "",
        "retired_by": said(agent.retired_by),
        "retired_why": said(agent.retired_why),
        "replaces": str(agent.replaces.instance_uid) if agent.replaces is not None else None,
        "replaced_by": str(successor.instance_uid) if successor is not None else None,
        "took_over_at": agent.took_over_at,
    }


def _delivery(row: Delivery) -> shapes.Delivery:
    return {
        "id": row.pk,
        "config_hash": row.config_hash,
        "cause": row.cause,
        "state": row.state,
        "offered_at": row.offered_at,
        "sent_at": row.sent_at,
        "acknowledged_at": row.acknowledged_at,
        "settled_at": row.settled_at,
        "confirmed_by": row.confirmed_by,
        "error": shown(row.error),
    }
