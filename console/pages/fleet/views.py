"""The fleet overview: is anything wrong, what happens now, what needs the reader (ui.md 4.1)."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from agents.refused import still_refused
from console.lib.database.snapshot import snapshot
from console.pages.fleet import fragments, latest, tour
from console.pages.fleet import needs as needs_person
from console.pages.fleet import view as fleet_view
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import rows as rollout_rows
from console.words import events as event_words
from rollouts.models import Event, Rollout

RECENT = 8


@require_GET
@needs("agents.view")
def overview(request: HtmxRequest) -> HttpResponse:
    """Show the fleet, or how to connect the first agent. By HX-Target: single regions."""
    with snapshot() as now:
        return _overview(request, now)


def _overview(request: HtmxRequest, now: datetime) -> HttpResponse:
    target = request.htmx.target
    if target == "needs":
        needed = {"needs": needs_person.read(request, now, most=needs_person.SHOWN)}
        return render(request, "fleet/needs/_region.html", needed)
    active = list(Rollout.objects.visible_to(request.actor).active().for_list()[:8])
    context: dict[str, object] = {"rollout_rows": rollout_rows.rows(active)}
    if target == "active-rollouts":
        return render(request, "fleet/_rollouts.html", context)
    fleet = fleet_view.read(request.actor, now)
    if target == "sync":
        return fragments.fleet(fleet, now).answer()
    if not fleet.total:
        return render(
            request, "fleet/empty.html", {"topics": ["fleet"], "refused": still_refused(now)}
        )
    recent = Event.objects.select_related("rollout").filter(rollout__isnull=False).order_by("-pk")
    context |= {
        "fleet": fleet,
        "seq": fleet.seq,
        "needs": needs_person.read(request, now, most=needs_person.SHOWN),
        "tour": tour.read(request.actor, fleet.uses),
        "ended": latest.read(request.actor),
        "recent": event_words.newest_first(recent, RECENT),
        "topics": ["fleet", "rollouts"],
        "follows": ["fleet-changed", *needs_person.FOLLOWS],
    }
    return render(request, "fleet/overview.html", context)


@require_GET
@needs("agents.view")
def counts(request: HtmxRequest) -> HttpResponse:
    """Answer the counts beside the navigation, pulled after a signal because they are personal."""
    return render(request, "_nav_counts.html")
