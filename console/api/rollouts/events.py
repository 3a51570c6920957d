"""What happened in a rollout: its events, the same as a file, and the measurements behind it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from console.api import paging, params
from console.api.rollouts import readings_file
from console.api.rollouts.answers import event_row, events_of
from console.api.rollouts.views import rollout_of
from console.api.shapes import events as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.texts import said, spoken
from console.lib.web import csvs
from console.words.incidents import incident_text
from rollouts.models import Event, Measurement

MOST_EVENTS = 10_000
_COLUMNS = ("seq", "at", "actor", "act", "phase", "from", "to", "reason", "inputs")


class Events(ApiView):
    verbs = {"GET": "rollouts.view"}

    @extend_schema(
        operation_id="rollouts_events",
        parameters=params.PAGE_OLDEST,
        responses=shapes.EventList,
    )
    def get(self, request: Request, pk: int) -> Answer[shapes.EventList]:
        """The events, oldest first. `after` is the `seq` of the last one that was seen."""
        rollout = rollout_of(self, pk)
        found, following = paging.oldest(Event.objects.filter(rollout=rollout), request, "seq")
        return Answer({"events": [event_row(event) for event in found], "next": following})


class Timeline(ApiView):
    verbs = {"GET": "rollouts.view"}

    @extend_schema(
        operation_id="rollouts_timeline",
        parameters=[params.FORMAT],
        responses={
            (200, "application/json"): shapes.EventList,
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR),
            (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR),
        },
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """The whole timeline as a file: `format=json` (default), `csv` or `text`."""
        rollout = rollout_of(self, pk)
        form = params.FORMAT.of(request)
        events = events_of(rollout, after_seq=0, limit=MOST_EVENTS)
        name = f"{rollout.number}-timeline"
        if form == "csv":
            return _file(_csv(events), "text/csv", f"{name}.csv")
        if form == "text":
            return _file(incident_text(rollout, events), "text/plain", f"{name}.txt")
        return Response({"events": events, "next": None})


class Measurements(ApiView):
    verbs = {"GET": "metrics.view"}

    @extend_schema(
        operation_id="rollouts_measurements",
        parameters=[params.GATE, params.FILE_FORMAT, *params.PAGE],
        responses={
            (200, "application/json"): shapes.MeasurementList,
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR),
        },
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Every reading of every gate, newest first, with what it was made from.

        With `format=csv` the newest 20,000 as a file, oldest first: values in the metric's base unit,
        beside them what agents that do not change showed (`control_...`).
        """
        rollout = rollout_of(self, pk)
        rows = Measurement.objects.filter(rollout=rollout).select_related("phase")
        if gate := params.GATE.of(request):
            rows = rows.filter(gate=gate)
        if params.FILE_FORMAT.of(request) == "csv":
            return readings_file.as_csv(request, f"{rollout.number}-readings", rows)
        page, following = paging.newest(rows, request)
        found = [_measurement(row) for row in page]
        answer: Answer[shapes.MeasurementList] = Answer({"measurements": found, "next": following})
        return answer


def _measurement(row: Measurement) -> shapes.Measurement:
    return {
        "id": row.pk,
        "at": row.at,
        "phase": row.phase.name if row.phase else None,
        "gate": row.gate,
        "metric": row.metric,
        "source": row.source,
        "outcome": row.outcome,
        "value": row.value,
        "agents": row.agents,
        "samples": row.samples,
        "breached": row.breached,
        "level": row.level,
        "inputs": spoken(row.inputs),
        "note": said(row.note),
    }


def _file(text: str, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers=headers)


def _csv(events: Sequence[shapes.Event]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for event in events:
        told: dict[str, Any] = {**event, "inputs": json.dumps(event["inputs"], default=str)}
        writer.writerow([csvs.cell(told.get(column, "")) for column in _COLUMNS])
    return out.getvalue()
