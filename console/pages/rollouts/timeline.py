"""The timeline of a rollout, and how its rollback went: page, CSV, JSON and text of the same."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.policy import can
from console.api.rollouts.answers import event_row
from console.lib.texts import said, spoken
from console.lib.web import csvs
from console.pages.frame.forms import OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollbacks.recovery import GOAL_S
from console.pages.rollouts.lookup import find
from console.pages.rollouts.story import events_of, story_of
from console.words import events as event_words
from console.words import times
from console.words.incidents import incident_text
from rollouts.models import Event

COLUMNS = ("seq", "at", "actor_kind", "actor", "act", "phase", "from", "to", "reason", "text")


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
    wanted = _Asked(request.GET).known()["format"]
    events = events_of(rollout) if wanted else []
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
    story = story_of(rollout, timezone.now())
    topics = [rollout.topic]
    if story.back is not None:
        topics.append(story.back.rollback.topic)
    is_part = request.htmx.target == "timeline-page"
    context = {
        "rollout": rollout,
        "story": story,
        "back": story.back,
        "goal_s": GOAL_S,
        "topics": topics,
        "may_share": can(request.actor, "rollouts.share", rollout),
    }
    template = f"rollouts/timeline/{'_page' if is_part else 'page'}.html"
    response: HttpResponse = render(request, template, context)
    return response
