"""The timeline of a rollout, and how its rollback went: page, CSV, JSON and text of the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from console.api.rollouts.answers import event_row
from console.lib.texts import said, spoken
from console.lib.web import csvs
from console.pages.drawing import plots
from console.pages.drawing.plots import PlotPoint
from console.pages.frame.forms import OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollbacks.course import course_of
from console.pages.rollbacks.recovery import GOAL_S
from console.pages.rollouts import page as rollout_page
from console.pages.rollouts.evidence.rows import GateReading, by_gate
from console.pages.rollouts.lookup import find
from console.words import events as event_words
from console.words import numbers, times
from console.words.incidents import incident_text
from rollouts.analysis.catalogue import title_of
from rollouts.models import Event, Rollout

MAX_EVENTS = 2000
MIN_POINTS = 3  # fewer readings make no curve
COLUMNS = ("seq", "at", "actor_kind", "actor", "act", "phase", "from", "to", "reason", "text")


@dataclass(frozen=True, slots=True)
class Before:
    """One gate around the decision: a small chart and three numbers."""

    title: str
    text: str
    chart: SafeString


def before_and_after(rollout: Rollout, at: datetime, now: datetime) -> list[Before]:
    """Return each metric's readings around a moment; one query."""
    by_metric: dict[str, list[GateReading]] = {}
    for readings in by_gate(rollout).values():
        values = [r for r in readings if r.outcome == "value"]
        if len(values) >= MIN_POINTS:
            by_metric.setdefault(values[0].metric, values)
    return [_before(values, at) for values in list(by_metric.values())[:6]]


def _before(values: list[GateReading], at: datetime) -> Before:
    title, unit = said(title_of(values[-1].metric)), numbers.unit_of(values[-1].metric)
    start = values[0].at
    points = [PlotPoint((r.at - start).total_seconds(), r.value) for r in values]
    earlier = [r for r in values if r.at <= at] or values[:1]
    peak = max((r.value or 0.0 for r in values), default=0.0)
    texts = [numbers.amount(v, unit) for v in (earlier[0].value, peak, values[-1].value)]
    label = _("%(title)s was %(first)s, at most %(peak)s, and is %(last)s") % {
        "title": title,
        "first": texts[0],
        "peak": texts[1],
        "last": texts[2],
    }
    mark = (at - start).total_seconds()
    return Before(title, " → ".join(texts), plots.sparkline(points, None, label, mark_s=mark))


def _plain_rows(events: list[Event]) -> list[dict[str, object]]:
    return [
        {
            "seq": e.seq,
            "at": times.stamp(e.at),
            "actor_kind": e.actor_kind,
            "actor": e.actor_name,
            "act": e.act,
            "phase": e.phase,
            "from": e.state_from,
            "to": e.state_to,
            "reason": said(e.reason),
            "text": event_words.line(e).text,
        }
        for e in events
    ]


class _Asked(PageForm):
    format = OneOf(("csv", "json", "text"))


@require_GET
@needs("rollouts.view")
def timeline(request: HtmxRequest, rollout_id: int) -> HttpResponseBase:
    """Show everything that happened, oldest first; `?format=csv`, `json` or `text` for the same."""
    rollout = find(rollout_id, request.actor)
    now = timezone.now()
    events = list(Event.objects.filter(rollout=rollout).order_by("seq")[:MAX_EVENTS])
    wanted = _Asked(request.GET).known()["format"]
    if wanted == "json":
        rows = [
            {**row, "inputs": spoken(e.inputs)}
            for row, e in zip(_plain_rows(events), events, strict=True)
        ]
        return JsonResponse({"rollout": rollout.number, "events": rows})
    if wanted == "csv":
        rows_of = ([row[c] for c in COLUMNS] for row in _plain_rows(events))
        return csvs.response(request, f"{rollout.number}-timeline.csv", COLUMNS, rows_of)
    if wanted == "text":
        text = incident_text(rollout, map(event_row, events))
        return HttpResponse(text, content_type="text/plain; charset=utf-8")
    rollback = getattr(rollout, "rollback", None)
    back = course_of(rollback, now) if rollback is not None else None
    context = {
        "rollout": rollout,
        "events": event_words.lines(events),
        "back": back,
        "why": rollout_page.why_of(rollout),
        "goal_s": GOAL_S,
        "before": before_and_after(rollout, rollback.decided_at, now) if rollback else [],
        "topics": [rollout.topic, *([rollback.topic] if rollback is not None else [])],
        "is_part": request.htmx.target == "timeline-page",
    }
    template = (
        "rollouts/timeline/_page.html" if context["is_part"] else "rollouts/timeline/page.html"
    )
    response: HttpResponse = render(request, template, context)
    return response
