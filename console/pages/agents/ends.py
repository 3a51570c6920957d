"""How agents end: who was refused at the door, and retiring a selection after counting it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.policy import can
from agents.actions.retire import Retirable, retirable, retire_matching
from agents.models import Agent, AgentToken, RefusedAgent
from agents.selectors.grammar import parse
from console.lib.durations import BadValue, parse_duration
from console.lib.problems import Denied, Invalid, Missing, Problem, Refused
from console.pages.frame.needs import HtmxRequest, needs
from console.words import refusals
from rollouts.selectors import selector_q

SHOWN = 100


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


def _credentials(said: object) -> dict[str, str]:
    """Return the names of tokens behind "pool:12" and "token:12"; one query."""
    numbers = {}
    for text in set(said):  # type: ignore[call-overload]
        number = text.partition(":")[2]
        if number.isdecimal() and len(number) < 19:
            numbers[text] = int(number)
    names = dict(AgentToken.objects.filter(pk__in=numbers.values()).values_list("pk", "name"))
    return {text: names.get(number, text) for text, number in numbers.items()}


@dataclass(frozen=True, slots=True)
class RetireForm:
    """What the form asks: who, last seen before when, and the count that was seen."""

    selector: str
    not_seen_for: str
    count: str
    reason: str

    @classmethod
    def read(cls, data: QueryDict) -> RetireForm:
        """Read the form, or the address that led to it."""
        names = ("q", "not_seen_for", "count", "reason")
        return cls(*(data.get(name, "").strip() for name in names))

    @property
    def span(self) -> timedelta | None:
        """How long they must not have been seen. Raises Invalid."""
        if not self.not_seen_for:
            return None
        try:
            return parse_duration(self.not_seen_for)
        except BadValue as bad:
            raise Invalid.at("not_seen_for", bad.says) from bad


@require_http_methods(["GET", "POST"])
@needs("agents.view")
def retire(request: HtmxRequest) -> HttpResponse:
    """Retire a selection: first how many, then with a reason and just that many."""
    asked = RetireForm.read(request.POST if request.method == "POST" else request.GET)
    problem: Problem | None = None
    found: Retirable | None = None
    try:
        if request.method == "POST" and request.POST.get("act") != "count":
            return _retire(request, asked)
    except (Invalid, Refused, Denied, Missing) as wrong:
        problem = wrong
    try:
        found = _counted(request, asked) if asked.selector else None
    except Invalid as wrong:
        problem = wrong
    context = {
        "asked": asked,
        "found": found,
        "problem": problem,
        "may_retire": can(request.actor, "agents.retire"),
    }
    status = problem.status if problem else 200
    return render(request, "agents/ends/retire.html", context, status=status)


def _counted(request: HtmxRequest, asked: RetireForm) -> Retirable:
    selection = Agent.objects.visible_to(request.actor).matching(selector_q(parse(asked.selector)))
    return retirable(selection, asked.span, timezone.now())


def _retire(request: HtmxRequest, asked: RetireForm) -> HttpResponse:
    if not asked.count.isdecimal() or len(asked.count) > 9:
        raise Invalid(_("Count first: what is shown is what is retired."))
    retired = retire_matching(
        condition=selector_q(parse(asked.selector or "*")),
        selector=asked.selector,
        seen_count=int(asked.count),
        by=request.actor,
        reason=asked.reason,
        not_seen_for=asked.span,
    )
    said = ngettext("%(n)d agent is retired.", "%(n)d agents are retired.", retired)
    messages.success(request, said % {"n": retired})
    return HttpResponseRedirect(reverse("agents:list"), status=303)
