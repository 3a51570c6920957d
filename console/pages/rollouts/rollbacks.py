"""Rollbacks: list, one by selector with its recovery, and the form that begins one."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.actor import Actor
from accounts.policy import can
from agents.models import Agent
from agents.selectors.grammar import parse
from console.lib.paging import count_up_to
from console.lib.problems import Denied, FieldError, Invalid, Missing, Problem, Refused
from console.pages.frame import keyset
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import recovery, timeline
from console.words import events as event_words
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.models import Config, Event, Rollback
from rollouts.selectors import selector_q

REASON_MIN = 10
METHODS = ("immediate", "gradual")


@dataclass(frozen=True, slots=True)
class RollbackForm:
    """What the form says, as text."""

    selector: str
    to: str
    config: str
    method: str
    reason: str

    @classmethod
    def read(cls, data: QueryDict) -> RollbackForm:
        method = data.get("method", "")
        return cls(
            selector=data.get("q", "").strip(),
            to=data.get("to", "").strip() or "previous",
            config=data.get("config", "").strip(),
            method=method if method in METHODS else METHODS[0],
            reason=data.get("reason", "").strip(),
        )


@require_GET
@needs("rollouts.view")
def rollback_list(request: HtmxRequest) -> HttpResponse:
    """List rollbacks, newest first: of rollouts and by selector."""
    found = Rollback.objects.select_related("rollout")
    page = keyset.newest_first(found, request.GET)
    context = {"page": page, "may_start": can(request.actor, "rollouts.rollback")}
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
        "back": timeline.course_of(rollback, timezone.now()),
        "events": event_words.lines(Event.objects.filter(rollback=rollback).order_by("seq")),
        "goal_s": recovery.GOAL_S,
        "topics": [rollback.topic],
    }
    is_part = request.htmx.target == "rollback-page"
    template = "rollbacks/_detail.html" if is_part else "rollbacks/detail.html"
    return render(request, template, context)


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def new(request: HtmxRequest) -> HttpResponse:
    """Ask for a rollback by selector: first how many agents match, then with a reason."""
    asked = RollbackForm.read(request.POST if request.method == "POST" else request.GET)
    problem: Problem | None = None
    try:
        if request.method == "POST" and request.POST.get("act") != "count":
            return _begin(request, asked)
        matched = _matched(asked, request.actor) if asked.selector else None
    except (Invalid, Refused, Denied, Missing) as found:
        problem, matched = found, None
    context = {
        "asked": asked,
        "matched": matched,
        "problem": problem,
        "configs": Config.objects.order_by("name"),
        "may_start": can(request.actor, "rollouts.rollback"),
    }
    return render(request, "rollbacks/new.html", context, status=problem.status if problem else 200)


def _matched(asked: RollbackForm, actor: Actor) -> int:
    found = Agent.objects.visible_to(actor).matching(selector_q(parse(asked.selector)))
    return count_up_to(found.accepting_remote_config())


def _begin(request: HtmxRequest, asked: RollbackForm) -> HttpResponse:
    if len(asked.reason) < REASON_MIN:
        text = _("Write at least %(n)d characters: others read it later.") % {"n": REASON_MIN}
        raise Invalid(text, errors=[FieldError("reason", text)])
    rollback = rollback_selector(
        selector=asked.selector,
        to=int(asked.to) if asked.to.isdecimal() and len(asked.to) < 9 else asked.to,
        config=asked.config or None,
        by=request.actor,
        reason=asked.reason,
        method=asked.method,
    )
    messages.success(request, _("The rollback has begun."))
    return HttpResponseRedirect(reverse("rollbacks:detail", args=[rollback.pk]), status=303)
