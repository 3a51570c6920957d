"""Search: agents by name, id or label, configs, rollouts by number or title, pages by name."""

from __future__ import annotations

import contextlib
import re
import uuid
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from agents.models import Agent
from console.pages.frame.context import AREAS
from console.pages.frame.forms import LineField, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from rollouts.models import Config, Rollout

EACH = 8
_NUMBER = re.compile(r"(?:R-)?0*(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    """One result."""

    url: str
    icon: str
    text: str
    kind: str


class _Asked(PageForm):
    q = LineField(cut=200)


def _agents(wanted: str, actor: Actor) -> list[Hit]:
    condition = Q(name__istartswith=wanted)
    key, equals, value = wanted.partition("=")
    if equals and key and value:
        condition |= Q(labels__contains={key.strip(): value.strip()})
    condition &= Q(retired_at=None)
    with contextlib.suppress(ValueError):
        condition |= Q(instance_uid=uuid.UUID(wanted))  # who knows the id finds the retired too
    found = Agent.objects.visible_to(actor).filter(condition).order_by("name", "pk")[:EACH]
    return [
        Hit(reverse("agents:detail", args=[a.instance_uid]), "nav-agents", str(a), _("agent"))
        for a in found
    ]


def _rollouts(wanted: str, actor: Actor) -> list[Hit]:
    condition = Q(title__icontains=wanted)
    number = _NUMBER.fullmatch(wanted)
    if number:
        condition |= Q(pk=int(number[1]))
    found = Rollout.objects.visible_to(actor).filter(condition).order_by("-pk")[:EACH]
    return [
        Hit(
            reverse("rollouts:detail", args=[r.pk]),
            "nav-rollouts",
            f"{r.number} {r.title}",
            _("rollout"),
        )
        for r in found
    ]


def _configs(wanted: str) -> list[Hit]:
    found = Config.objects.filter(name__icontains=wanted).order_by("name")[:EACH]
    return [
        Hit(reverse("configs:detail", args=[c.name]), "nav-configs", c.name, _("config"))
        for c in found
    ]


def _pages(wanted: str) -> list[Hit]:
    return [
        Hit(reverse(route), icon, str(label), _("page"))
        for label, icon, route, _prefix, _area in AREAS
        if wanted.lower() in str(label).lower()
    ]


@require_GET
@needs("agents.view")
def page(request: HtmxRequest) -> HttpResponse:
    """Show what matches, or go straight to the only match."""
    wanted = _Asked(request.GET).known()["q"]
    hits: list[Hit] = []
    if wanted:
        hits = [
            *_rollouts(wanted, request.actor),
            *_configs(wanted),
            *_agents(wanted, request.actor),
            *_pages(wanted),
        ]
        if len(hits) == 1:
            return HttpResponseRedirect(hits[0].url)
    return render(request, "search/page.html", {"wanted": wanted, "hits": hits})
