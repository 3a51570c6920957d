"""How agents end: who was refused at the door, and retiring a selection after counting it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.policy import can
from agents.actions.retire import Retirable, retirable, retire_matching
from agents.models import Agent, AgentToken, RefusedAgent
from agents.selectors.grammar import parse
from console.lib.problems import Denied, Invalid, Missing, Problem, Refused
from console.pages.frame.forms import (
    MAX_ID,
    Duration,
    LineField,
    Number,
    OneOf,
    PageForm,
    SelectorText,
    whole,
)
from console.pages.frame.needs import HtmxRequest, needs
from console.words import refusals
from rollouts.selectors import selector_q

SHOWN = 100
COUNT_FIRST = gettext_lazy("Count first: what is shown is what is retired.")


@require_GET
@needs("agents.view")
def refused(request: HtmxRequest) -> HttpResponse:
    """List who was not let in, the latest attempt first."""
    found = RefusedAgent.objects.order_by("-last_at", "-pk")
    rows = list(found[: SHOWN + 1])
    names = _credentials(row.credential for row in rows)
    context = {
        "rows": [(row, refusals.why(row.reason), names.get(row.credential, "")) for row in rows],
        "more": len(rows) > SHOWN,
        "shown": SHOWN,
    }
    return render(request, "agents/ends/refused.html", context)


def _credentials(said: Iterable[str]) -> dict[str, str]:
    """Return the names of tokens behind "pool:12" and "token:12"; one query."""
    numbers = {}
    for text in set(said):
        number = whole(text.partition(":")[2])
        if number is not None and number <= MAX_ID:
            numbers[text] = number
    names = dict(AgentToken.objects.filter(pk__in=numbers.values()).values_list("pk", "name"))
    return {text: names.get(number, text) for text, number in numbers.items()}


class RetireForm(PageForm):
    """What the form asks: who, last seen before when, and the count that was seen."""

    act = OneOf(("count",))
    q = SelectorText()
    not_seen_for = Duration()
    count = Number(0, 999_999_999, says=COUNT_FIRST)
    reason = LineField()


@require_http_methods(["GET", "POST"])
@needs("agents.view")
def retire(request: HtmxRequest) -> HttpResponse:
    """Retire a selection: first how many, then with a reason and just that many."""
    form = RetireForm.sent(request)
    asked = form.known()
    problem: Problem | None = None
    found: Retirable | None = None
    try:
        form.checked()
        if request.method == "POST" and asked["act"] != "count":
            return _retire(request, asked)
    except (Invalid, Refused, Denied, Missing) as wrong:
        problem = wrong
    try:
        found = _counted(request, asked) if asked["q"] and not form.wrong else None
    except Invalid as wrong:
        problem = wrong
    context = {
        "asked": form.typed,
        "found": found,
        "problem": problem,
        "may_retire": can(request.actor, "agents.retire"),
    }
    status = problem.status if problem else 200
    return render(request, "agents/ends/retire.html", context, status=status)


def _counted(request: HtmxRequest, asked: Mapping[str, Any]) -> Retirable:
    selection = Agent.objects.visible_to(request.actor).matching(selector_q(parse(asked["q"])))
    return retirable(selection, asked["not_seen_for"], timezone.now())


def _retire(request: HtmxRequest, asked: Mapping[str, Any]) -> HttpResponse:
    if asked["count"] is None:
        raise Invalid(str(COUNT_FIRST))
    retired = retire_matching(
        condition=selector_q(parse(asked["q"] or "*")),
        selector=asked["q"],
        seen_count=asked["count"],
        by=request.actor,
        reason=asked["reason"],
        not_seen_for=asked["not_seen_for"],
    )
    said = ngettext("%(n)d agent is retired.", "%(n)d agents are retired.", retired)
    messages.success(request, said % {"n": retired})
    return HttpResponseRedirect(reverse("agents:list"), status=303)
