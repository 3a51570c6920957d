"""What operators do to one agent: labels and restart."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.actions.label import set_labels
from agents.actions.restart import restart
from agents.models import Agent
from console.api import params
from console.api.agents import agent_of
from console.api.idempotency import once
from console.api.shapes import agents as shapes
from console.api.views import ApiView


class Labels(ApiView):
    verbs = {"GET": "agents.view", "PATCH": "agents.label"}

    @extend_schema(operation_id="agents_labels", responses=shapes.Labels)
    def get(self, request: Request, uid: str) -> Response:
        """The labels that selectors see, and which of them operators set (those win)."""
        return Response(_labels(agent_of(self, uid).get()))

    @extend_schema(
        operation_id="agents_label",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.LabelsBody,
        responses=shapes.Labels,
    )
    @once
    def patch(self, request: Request, uid: str) -> Response:
        """Set and remove operators' labels. A removed label shows again what the agent reports."""
        agent = agent_of(self, uid).get()
        body = self.read(shapes.LabelsBody)
        set_labels(
            agent_id=agent.pk,
            set=body.get("set", {}),
            remove=body.get("remove", []),
            by=self.actor,
            reason=body.get("reason", ""),
        )
        agent.refresh_from_db()
        return Response(_labels(agent))


class Restart(ApiView):
    verbs = {"POST": "agents.restart"}

    @extend_schema(
        operation_id="agents_restart",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.RestartBody,
        responses={202: shapes.RestartAsked},
    )
    @once
    def post(self, request: Request, uid: str) -> Response:
        """Ask the agent to restart. 202: the command is queued for its gateway."""
        agent = agent_of(self, uid).get()
        body = self.read(shapes.RestartBody)
        restart(agent_ids=[agent.pk], by=self.actor, reason=body.get("reason", ""))
        return Response({"id": str(agent.instance_uid), "asked": True}, status=202)


def _labels(agent: Agent) -> dict[str, Any]:
    return {
        "id": str(agent.instance_uid),
        "labels": agent.labels,
        "operator_labels": agent.operator_labels,
    }
