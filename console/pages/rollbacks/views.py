"""Rollbacks: the list, and one by selector with its recovery. `begin` begins one."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.policy import can
from console.lib.problems import Missing
from console.pages.frame import keyset
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollbacks import recovery
from console.pages.rollbacks.course import course_of
from console.words import events as event_words
from rollouts.models import Event, Rollback


@require_GET
@needs("rollouts.view")
def rollback_list(request: HtmxRequest) -> HttpResponse:
    """List rollbacks, newest first: of rollouts and by selector."""
    found = Rollback.objects.select_related("rollout")
    page = keyset.newest_first(found, request.GET)
    context = {
        "page": page,
        "may_start": can(request.actor, "rollouts.rollback"),
        "topics": ["rollouts"],
        "follows": ["rollouts-changed"],
    }
    return render(request, "rollbacks/list.html", context)


@require_GET
@needs("rollouts.view")
def detail(request: HtmxRequest, rollback_id: int) -> HttpResponse:
    """Show a rollback by selector; one of a rollout is shown in that rollout's timeline."""
    rollback = Rollback.objects.filter(pk=rollback_id).first()
    if rollback is None:
        raise Missing(_("There is no rollback %(id)d.") % {"id": rollback_id})
    if rollback.rollout_id is not None:
        return HttpResponseRedirect(reverse("rollouts:timeline", args=[rollback.rollout_id]))
    context = {
        "rollback": rollback,
        "back": course_of(rollback, timezone.now()),
        "events": event_words.lines(Event.objects.filter(rollback=rollback).order_by("seq")),
        "goal_s": recovery.GOAL_S,
        "topics": [rollback.topic],
    }
    is_part = request.htmx.target == "rollback-page"
    template = "rollbacks/_detail.html" if is_part else "rollbacks/detail.html"
    return render(request, template, context)
