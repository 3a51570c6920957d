"""`needs`: what waits for a person, or nobody has acknowledged; the same list as on the overview."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from console.api import params
from console.api.idempotency import once
from console.api.shapes import needs as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.texts import said
from rollouts.actions.acknowledge import acknowledge
from rollouts.attention.find import Item, Needs, needs


class NeedList(ApiView):
    verbs = {"GET": "agents.view"}

    @extend_schema(operation_id="needs_list", responses=shapes.NeedList)
    def get(self, request: Request) -> Answer[shapes.NeedList]:
        """What needs a person, worst first: what nobody has acknowledged, then what somebody has.
        Questions that wait for an approval stand in `approvals`."""
        return _answer(needs(self.actor, timezone.now()))


class Acknowledge(ApiView):
    verbs = {"POST": "needs.acknowledge"}

    @extend_schema(
        operation_id="needs_acknowledge",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.SeenBody,
        responses=shapes.NeedList,
    )
    @once
    def post(self, request: Request) -> Answer[shapes.NeedList]:
        """Say that somebody has seen a thing. It is news again when its facts change. 404 when it needs
        nobody any more, 409 when its facts are other ones than those sent. Answers the list."""
        body = self.read(shapes.SeenBody)
        acknowledge(
            kind=body["kind"],
            subject=body["subject"],
            facts=body.get("facts"),
            note=body.get("note", ""),
            by=self.actor,
        )
        return _answer(needs(self.actor, timezone.now()))


def _answer(found: Needs) -> Answer[shapes.NeedList]:
    return Answer({"needs": [_row(item) for item in (*found.waiting, *found.seen)]})


def _row(item: Item) -> shapes.Need:
    return {
        "kind": item.kind,
        "subject": item.subject,
        "facts": item.facts,
        "says": said(item.says),
        "more": said(item.more),
        "about_kind": item.about.kind,
        "about": item.about.key,
        "since": item.since,
        "acknowledged_by": item.seen_by,
        "acknowledged_at": item.seen_at,
    }
