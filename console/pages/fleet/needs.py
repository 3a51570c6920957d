"""What needs the reader: questions to decide, and everything that nobody has acknowledged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.policy import can
from console.lib.texts import said
from console.pages.frame import counts as navigation
from console.pages.frame.forms import LineField, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.words import states as words
from rollouts.actions.acknowledge import acknowledge
from rollouts.attention.find import Item
from rollouts.attention.find import needs as find
from rollouts.attention.told import About
from rollouts.models import Approval

SHOWN = 6  # on the overview; the page has all
# What may change it; what writes no such event is noticed by `rollouts.attention.watch`.
FOLLOWS = ("rollouts-changed", "approvals-changed", "quarantines-changed")

# kind of object -> route of its page, and whether its key is part of the address
_ROUTES = {
    "rollout": "rollouts:detail",
    "rollback": "rollbacks:detail",
    "agent": "agents:detail",
    "approval": "approvals:detail",
}
_PLAIN_ROUTES = {
    "quarantine": ("settings:quarantine", ""),
    "refused": ("agents:refused", ""),
    "offline": ("agents:list", "?status=offline"),
    "late": ("agents:list", ""),
}


@dataclass(frozen=True, slots=True)
class NeedLine:
    """One thing, ready to be drawn."""

    item: Item
    look: words.Look
    says: str
    more: str
    url: str


@dataclass(frozen=True, slots=True)
class NeedsView:
    """What the region and the page show; `count` is that of the navigation."""

    waiting: Sequence[Approval]
    lines: Sequence[NeedLine]
    seen: Sequence[NeedLine]
    count: int
    hidden: int
    may: object  # accounts.policy.Answer


class SeenForm(PageForm):
    """Which thing somebody has seen, as it was then."""

    kind = LineField(cut=24)
    subject = LineField(cut=80)
    facts = LineField(cut=200, strip=False)
    note = LineField(cut=500)


def read(request: HtmxRequest, now: datetime, *, most: int | None = None) -> NeedsView:
    """Return what needs this person, the first `most` of it. The frame counts from the same reading,
    so that navigation, title and list never say different numbers."""
    actor = request.actor
    rows = request.counted = navigation.read(actor, now)
    found = find(actor, now, rows)
    waiting = list(navigation.waiting_for(actor).for_list().order_by("asked_at"))
    count = len(waiting) + len(found.waiting)
    waiting, lines = waiting[:most], _lines(found.waiting)
    lines = lines[: max(0, most - len(waiting))] if most is not None else lines
    return NeedsView(
        waiting=waiting,
        lines=lines,
        seen=_lines(found.seen) if most is None else [],
        count=count,
        hidden=count - len(waiting) - len(lines),
        may=can(actor, "needs.acknowledge"),
    )


def _lines(items: Iterable[Item]) -> list[NeedLine]:
    return [
        NeedLine(
            item, words.look("need", item.kind), said(item.says), said(item.more), _url(item.about)
        )
        for item in items
    ]


def _url(about: About) -> str:
    if about.kind in _ROUTES:
        return reverse(_ROUTES[about.kind], args=[about.key])
    route, query = _PLAIN_ROUTES[about.kind]
    return reverse(route) + query


@require_GET
@needs("agents.view")
def page(request: HtmxRequest) -> HttpResponse:
    """List everything that needs a person, and what somebody has seen already."""
    context = {
        "needs": read(request, timezone.now()),
        "topics": ["rollouts"],
        "follows": FOLLOWS,
    }
    return render(request, "fleet/needs/page.html", context)


@require_http_methods(["GET", "POST"])
@needs("agents.view")
def seen(request: HtmxRequest) -> HttpResponse:
    """Acknowledge one thing. htmx gets the region anew, else to the page of all.

    Who comes here by an address, after signing in anew, is shown that page.
    """
    if request.method == "GET":
        return HttpResponseRedirect(reverse("fleet:needs"))
    given = SeenForm(request.POST).checked()
    acknowledge(by=request.actor, **given)
    if request.htmx:
        now = timezone.now()
        if request.htmx.target == "needs-page":
            return render(request, "fleet/needs/_all.html", {"needs": read(request, now)})
        context = {"needs": read(request, now, most=SHOWN)}
        return render(request, "fleet/needs/_region.html", context)
    messages.success(request, _("Acknowledged. It comes back when something about it changes."))
    return HttpResponseRedirect(reverse("fleet:needs"), status=303)
