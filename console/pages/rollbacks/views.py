"""Rollbacks: list, one by selector with its recovery, and the form that begins one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
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
from console.lib.problems import Denied, Invalid, Missing, Problem, Refused
from console.pages.frame import keyset
from console.pages.frame.forms import (
    MAX_REVISION,
    LineField,
    OneOf,
    PageForm,
    SelectorText,
    reason_of,
    whole,
)
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollbacks import recovery
from console.pages.rollbacks.course import course_of
from console.words import events as event_words
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.models import Config, Event, Rollback
from rollouts.selectors import selector_q

METHODS = ("immediate", "gradual")


class RollbackForm(PageForm):
    """Who goes back to what, how fast, and why."""

    act = OneOf(("count",))
    q = SelectorText()
    to = LineField(initial="previous")
    config = LineField()
    method = OneOf(METHODS, initial=METHODS[0])
    reason = LineField()

    def clean_to(self) -> int | str:
        """A version's number, or the words that mean one."""
        text = self.cleaned_data["to"] or "previous"
        number = whole(text)
        return text if number is None or number > MAX_REVISION else number

    def clean_reason(self) -> str:
        return reason_of(self.cleaned_data["reason"])


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


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def new(request: HtmxRequest) -> HttpResponse:
    """Ask for a rollback by selector: first how many agents match, then with a reason."""
    form = RollbackForm.sent(request)
    asked = form.known()
    problem: Problem | None = None
    try:
        if request.method == "POST" and asked["act"] != "count":
            return _begin(request, form.checked())
        matched = _matched(asked["q"], request.actor) if asked["q"] else None
    except (Invalid, Refused, Denied, Missing) as found:
        problem, matched = found, None
    context = {
        "asked": form.typed,
        "matched": matched,
        "problem": problem,
        "configs": Config.objects.order_by("name"),
        "may_start": can(request.actor, "rollouts.rollback"),
    }
    return render(request, "rollbacks/new.html", context, status=problem.status if problem else 200)


def _matched(selector: str, actor: Actor) -> int:
    found = Agent.objects.visible_to(actor).matching(selector_q(parse(selector)))
    return count_up_to(found.accepting_remote_config())


def _begin(request: HtmxRequest, asked: Mapping[str, Any]) -> HttpResponse:
    rollback = rollback_selector(
        selector=asked["q"],
        to=asked["to"],
        config=asked["config"] or None,
        by=request.actor,
        reason=asked["reason"],
        method=asked["method"],
    )
    messages.success(request, _("The rollback has begun."))
    return HttpResponseRedirect(reverse("rollbacks:detail", args=[rollback.pk]), status=303)
