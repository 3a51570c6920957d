"""The audit log: who did what, newest first; nothing here can be changed."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import AuditEvent
from console.lib.texts import said
from console.lib.web import csvs
from console.pages.frame import keyset
from console.pages.frame.forms import LineField, OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs

FILTERS = {"actor": "actor_name", "act": "act", "kind": "object_kind", "object": "object_id"}
COLUMNS = (
    "at",
    "actor_kind",
    "actor",
    "act",
    "object_kind",
    "object_id",
    "object",
    "reason",
    "request_id",
    "address",
)
MAX_EXPORT = 100_000


class AuditFilter(PageForm):
    """What the log is narrowed to, each as it is written in the row; `format` csv exports it."""

    actor = LineField(cut=150)
    act = LineField(cut=150)
    kind = LineField(cut=150)
    object = LineField(cut=150)
    format = OneOf(("csv",))


@require_GET
@needs("audit.view")
def page(request: HtmxRequest) -> HttpResponseBase:
    """Show the rows a filter means; `?format=csv` exports them."""
    found = AuditEvent.objects.all()
    given = AuditFilter(request.GET).known()
    for name, column in FILTERS.items():
        if given[name]:
            found = found.filter(**{column: given[name]})
    if given["format"] == "csv":
        return csvs.response(request, "audit.csv", COLUMNS, _rows(found))
    context = {"page": keyset.newest_first(found, request.GET), "given": given}
    return render(request, "audit/list.html", context)


def _rows(found: QuerySet[AuditEvent]) -> Iterator[list[object]]:
    for event in found.order_by("-pk")[:MAX_EXPORT].iterator(chunk_size=500):
        yield [
            event.at.isoformat(),
            event.actor_kind,
            event.actor_name,
            event.act,
            event.object_kind,
            event.object_id,
            event.object_name,
            said(event.reason),
            event.request_id,
            event.address,
        ]
