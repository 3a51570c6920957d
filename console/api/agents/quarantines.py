"""`quarantines`: hashes that are not offered again until a person lifts them."""

from __future__ import annotations

import uuid

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from agents.actions.quarantine import quarantine
from agents.models import Agent, Quarantine
from console.api import paging, params
from console.api.hashes import hash_of
from console.api.idempotency import once
from console.api.shapes import quarantines as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.problems import FieldError, Invalid
from console.lib.texts import said
from console.lib.texts import text as say
from rollouts.actions.lift_quarantine import lift_one, lift_version


class QuarantineList(ApiView):
    verbs = {"GET": "agents.view", "POST": "quarantine.add"}

    @extend_schema(
        operation_id="quarantines_list",
        parameters=[params.CONFIG_HASH, params.LIFTED, *params.PAGE],
        responses=shapes.QuarantineList,
    )
    def get(self, request: Request) -> Answer[shapes.QuarantineList]:
        """What must not be offered, newest first; with `lifted=true` also what was lifted, by whom
        and why."""
        visible = Agent.objects.visible_to(self.actor)
        rows = Quarantine.objects.filter(Q(agent=None) | Q(agent__in=visible))
        rows = rows.select_related("agent")
        if not params.LIFTED.of(request):
            rows = rows.filter(lifted_at=None)
        if wanted := params.CONFIG_HASH.of(request):
            rows = rows.filter(config_hash=hash_of(wanted))
        page, following = paging.newest(rows, request)
        return Answer({"quarantines": [_row(row) for row in page], "next": following})

    @extend_schema(
        operation_id="quarantines_add",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.NewQuarantine,
        responses={201: shapes.Added},
    )
    @once
    def post(self, request: Request) -> Answer[shapes.Added]:
        """Never offer a hash again: to some agents, or, when none are named, to the whole fleet."""
        body = self.read(shapes.NewQuarantine)
        added = quarantine(
            config_hash=hash_of(body["config_hash"]),
            agent_ids=self._ids(body["agents"]) if "agents" in body else None,
            outcome=Quarantine.Outcome.BY_HAND,
            by=self.actor,
            reason=body["reason"],
        )
        return Answer({"added": added}, status=201)

    def _ids(self, uids: list[uuid.UUID]) -> list[int]:
        visible = Agent.objects.visible_to(self.actor).filter(instance_uid__in=uids)
        found = dict(visible.values_list("instance_uid", "pk"))
        missing = [uid for uid in uids if uid not in found]
        if missing:
            raise Invalid(
                "api.no_agent",
                uid=missing[0],
                errors=[
                    FieldError("agents", say("api.no_agent_here", uid=uid)) for uid in missing[:20]
                ],
            )
        return list(found.values())


class Lift(ApiView):
    verbs = {"POST": "quarantine.lift"}

    @extend_schema(
        operation_id="quarantines_lift",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.LiftBody,
        responses=shapes.Quarantine,
    )
    @once
    def post(self, request: Request, pk: int) -> Answer[shapes.Quarantine]:
        """Allow the hash again. It is offered only by the next rollout or push."""
        body = self.read(shapes.LiftBody)
        return Answer(_row(lift_one(quarantine_id=pk, by=self.actor, reason=body["reason"])))


class LiftVersion(ApiView):
    verbs = {"POST": "quarantine.lift"}

    @extend_schema(
        operation_id="quarantines_lift_version",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.LiftVersionBody,
        responses=shapes.Lifted,
    )
    @once
    def post(self, request: Request) -> Answer[shapes.Lifted]:
        """Allow a hash again for everybody it is kept from, at once: the fleet and each agent; with
        `fleet_only` agents that have a quarantine of their own keep it, with `agent` only that one
        is freed. Each timeline that tells of the quarantine tells of its end."""
        body = self.read(shapes.LiftVersionBody)
        lifted = lift_version(
            config_hash=hash_of(body["config_hash"]),
            agent=self._id(body["agent"]) if "agent" in body else None,
            fleet_only=body["fleet_only"],
            upto=body.get("upto"),
            by=self.actor,
            reason=body["reason"],
        )
        return Answer({"lifted": len(lifted)})

    def _id(self, uid: uuid.UUID) -> int:
        agent = Agent.objects.visible_to(self.actor).filter(instance_uid=uid).first()
        if agent is None:
            raise Invalid.at("agent", say("api.no_agent_here", uid=uid))
        return int(agent.pk)


def _row(row: Quarantine) -> shapes.Quarantine:
    return {
        "id": row.pk,
        "agent": str(row.agent.instance_uid) if row.agent else None,
        "config_hash": row.config_hash,
        "outcome": row.outcome,
        "cause": row.cause,
        "reason": said(row.reason),
        "by": row.by,
        "at": row.at,
        "lifted_at": row.lifted_at,
        "lifted_by": row.lifted_by,
        "lift_reason": said(row.lift_reason),
    }
