"""`audit`: who did what, newest first. Rows are only ever read here."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.models import AuditEvent
from console.api import paging, params
from console.api.shapes import audit as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.texts import said

_EXACT = {
    "actor_name": params.ACTOR,
    "act": params.ACT,
    "object_kind": params.OBJECT_KIND,
    "object_id": params.OBJECT_ID,
}


class AuditList(ApiView):
    verbs = {"GET": "audit.view"}

    @extend_schema(
        operation_id="audit_list",
        parameters=[*_EXACT.values(), params.SINCE, *params.PAGE],
        responses=shapes.AuditList,
    )
    def get(self, request: Request) -> Answer[shapes.AuditList]:
        """Audit rows, newest first, narrowed by actor, act, object and time."""
        rows = AuditEvent.objects.all()
        for field, parameter in _EXACT.items():
            if wanted := parameter.of(request):
                rows = rows.filter(**{field: wanted})
        if since := params.SINCE.of(request):
            rows = rows.filter(at__gte=since)
        page, following = paging.newest(rows, request)
        return Answer({"events": [event_row(e) for e in page], "next": following})


def event_row(event: AuditEvent) -> shapes.AuditRow:
    """Return one audit row."""
    return {
        "id": event.pk,
        "at": event.at,
        "actor_kind": event.actor_kind,
        "actor": event.actor_name,
        "act": event.act,
        "object_kind": event.object_kind,
        "object_id": event.object_id,
        "object_name": event.object_name,
        "reason": said(event.reason),
        "details": event.details,
        "request_id": event.request_id,
        "address": event.address,
    }
