"""Rollouts: detail with its live parts, short link. The list is in `listing`, its agents in `agents_list`,
acts in `acts`."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.policy import can
from console.lib.database.snapshot import snapshot
from console.lib.problems import Missing
from console.pages.frame.forms import MAX_ID, whole
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import fragments, next_steps
from console.pages.rollouts import page as rollout_page
from console.pages.rollouts.acts import bar
from console.pages.rollouts.acts.dialogs import Seen
from console.pages.rollouts.lookup import find
from console.pages.rollouts.wizard import preview as wizard_preview
from rollouts.engine.states import RolloutState
from rollouts.models import Rollout


@require_GET
@needs("rollouts.view")
def detail(request: HtmxRequest, rollout_id: int) -> HttpResponse:
    """Show one rollout. By HX-Target: the action bar, the agents, or all live regions after a gap."""
    if request.htmx.target == "sync":
        find(rollout_id, request.actor)
        found = fragments.rollout(rollout_id)
        return found[1].answer() if found is not None else HttpResponse(status=404)
    with snapshot() as now:
        return _detail(request, find(rollout_id, request.actor), now)


def _detail(request: HtmxRequest, rollout: Rollout, now: datetime) -> HttpResponse:
    context = {
        "rollout": rollout,
        "acts": bar.bar(Seen.of(rollout), request.actor),
    }
    if request.htmx.target == "acts":
        return render(request, "rollouts/acts/_acts.html", context)
    context["next_steps"] = next_steps.steps(rollout, request.actor)
    if request.htmx.target == "next-steps":
        return render(request, "rollouts/_next_steps.html", context)
    view = rollout_page.read(rollout, now)
    context |= {
        "view": view,
        "agents": rollout_page.agents_of(rollout),
        "may_waive": rollout.is_active and can(request.actor, "rollouts.waive", rollout),
        "preview": wizard_preview.view_of(rollout.preview or {}, rollout)
        if _is_draft(rollout)
        else None,
        "topics": [rollout.topic],
        "follows": ["rollout-state", "quarantines-changed"],
        "seq": view.seq,
    }
    is_part = (request.htmx.target or "").startswith("agents-of-")
    return render(request, f"rollouts/{'agents/_region' if is_part else 'detail'}.html", context)


def _is_draft(rollout: Rollout) -> bool:
    return rollout.state in {RolloutState.DRAFT, RolloutState.SCHEDULED}


@require_GET
@needs("rollouts.view")
def short_link(request: HtmxRequest, number: str) -> HttpResponse:
    """Send `/r/R-0042` or `/r/42` to the rollout's page."""
    pk = whole(number.upper().removeprefix("R-"))
    if pk is None or pk > MAX_ID:
        raise Missing("rollout.no_number", read=number)
    return HttpResponseRedirect(reverse("rollouts:detail", args=[pk]))
