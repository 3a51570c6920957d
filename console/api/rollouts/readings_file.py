"""Readings as rows with plain numbers, for a file: used by the API and by the page of a gate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from console.lib.texts import said
from console.lib.web import csvs
from rollouts.models import Measurement

MOST = 20_000
# Column: where the row has it. Values are in the metric's base unit, shares as fractions.
_FROM = {
    "at": "at",
    "phase": "phase__name",
    "gate": "gate",
    "metric": "metric",
    "outcome": "outcome",
    "value": "value",
    "low": "inputs__low",
    "high": "inputs__high",
    "agents": "agents",
    "compare": "inputs__compare",
    "control_value": "inputs__control__value",
    "control_low": "inputs__control__low",
    "control_high": "inputs__control__high",
    "control_agents": "inputs__control__agents",
    "beyond_limit": "breached",
    "level": "level",
    "source": "source",
    "note": "note",
}
COLUMNS = tuple(_FROM)


def plain_rows(readings: QuerySet[Measurement]) -> Iterator[dict[str, Any]]:
    """Yield the newest MOST readings, oldest first."""
    newest = readings.order_by("-pk").values("pk")[:MOST]
    rows = Measurement.objects.filter(pk__in=newest).order_by("pk").values_list(*_FROM.values())
    for row in rows.iterator(chunk_size=2_000):
        found = dict(zip(COLUMNS, row, strict=True))
        yield {**found, "note": said(found["note"])}


def as_csv(
    request: HttpRequest, name: str, readings: QuerySet[Measurement]
) -> StreamingHttpResponse:
    """Stream the readings as a CSV file."""
    rows = ([row[column] for column in COLUMNS] for row in plain_rows(readings))
    return csvs.response(request, f"{name}.csv", COLUMNS, rows)
