"""`audit`: who did what, newest first. Rows are only ever read here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import AuditEvent
from console.api import paging, params
from console.api.shapes import audit as shapes
from console.api.views import ApiView, query
from console.lib.problems import FieldError, Invalid
from console.lib.texts import text as say

_EXACT = {
    "actor": "actor_name",
    "act": "act",
    "object_kind": "object_kind",
    "object_id": "object_id",
}


class AuditList(ApiView):
    verbs = {"GET": "audit.view"}

    @extend_schema(
        operation_id="audit_list",
        parameters=[*params.AUDIT_FILTERS, params.AFTER, params.LIMIT],
        responses=shapes.AuditList,
    )
    def get(self, request: Request) -> Response:
        """Audit rows, newest first, narrowed by actor, act, object and time."""
        rows = AuditEvent.objects.all()
        for name, field in _EXACT.items():
            if wanted := query(request, name):
                rows = rows.filter(**{field: wanted})
        if since := instant(request, "since"):
            rows = rows.filter(at__gte=since)
        page, following = paging.newest(rows, request)
        return Response({"events": [event_row(e) for e in page], "next": following})


def event_row(event: AuditEvent) -> dict[str, Any]:
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
        "reason": event.reason,
        "details": event.details,
        "request_id": event.request_id,
        "address": event.address,
    }


def instant(request: Request, name: str) -> datetime | None:
    """Return a query parameter that is a time (ISO 8601, UTC when it says no zone)."""
    text = query(request, name)
    if not text:
        return None
    # A "+" that was not escaped in the address arrives as a space.
    at = _parsed(text.replace(" ", "+") if "T" in text else text)
    if at is None:
        raise Invalid(
            "api.no_time",
            name=name,
            read=text[:40],
            errors=[FieldError(name, say("api.must_be_time"))],
        )
    if timezone.is_naive(at):
        raise Invalid(
            "api.no_offset",
            name=name,
            read=text[:40],
            errors=[FieldError(name, say("api.must_have_offset"))],
        )
    return at


def _parsed(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None
