"""The page of results. It never acts and never jumps: what is found stands there with its state."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from agents.models import Agent
from console.pages.configs import marks
from console.pages.frame.forms import LineField, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import phases
from console.pages.rollouts.acts import bar
from console.pages.rollouts.acts.dialogs import Seen
from console.pages.search import places
from console.words import states as words
from rollouts.models import ConfigVersion, Rollout
from rollouts.standing import GOOD, standings

EACH = 8
_NUMBER = re.compile(r"(?:R-)?0*(\d{1,9})", re.IGNORECASE)
_ACT = re.compile(r"(?P<verb>\D*?)\s*(?:R-)?0*(?P<number>\d{1,9})?", re.IGNORECASE)
_VERSION = re.compile(r"(?P<name>\S+?)(?:\s*@?\s*v(?P<number>\d{1,6}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: where it leads, what it is, how it stands (`look`), and a word more (`note`)."""

    url: str
    icon: str
    text: str
    kind: str
    look: words.Look | None = None
    note: str = ""


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
    found = Agent.objects.visible_to(actor).filter(condition).order_by("name", "pk")
    return [
        Hit(
            reverse("agents:detail", args=[agent.instance_uid]),
            "nav-agents",
            str(agent),
            _("agent"),
            words.look("agent", agent.status_word),
        )
        for agent in found.with_status_word(timezone.now())[:EACH]
    ]


def _rollouts(wanted: str, actor: Actor) -> list[Hit]:
    condition = Q(title__icontains=wanted)
    number = _NUMBER.fullmatch(wanted)
    if number:
        condition |= Q(pk=int(number[1]))
    found = Rollout.objects.visible_to(actor).filter(condition).for_list().order_by("-pk")
    return [
        Hit(
            reverse("rollouts:detail", args=[rollout.pk]),
            "nav-rollouts",
            f"{rollout.number} {rollout.title}",
            _("rollout"),
            phases.pill_look(rollout, Seen.of(rollout).steps),
            f"{rollout.config.name} v{rollout.version.number}",
        )
        for rollout in found[:EACH]
    ]


def _acts(wanted: str, actor: Actor) -> list[Hit]:
    """Find what can be done: "pause R-3", or "pause" to every active rollout. It opens the dialog."""
    asked = _ACT.fullmatch(wanted)
    verb = asked["verb"].strip().casefold() if asked else ""
    if asked is None or len(verb) < 3:
        return []
    found = Rollout.objects.visible_to(actor).for_list().order_by("-pk")
    found = found.filter(pk=int(asked["number"])) if asked["number"] else found.active()
    return [
        Hit(
            button.url if not button.why_not else reverse("rollouts:detail", args=[rollout.pk]),
            button.icon,
            f"{button.label} {rollout.number} {rollout.title}",
            _("act"),
            note=button.why_not,
        )
        for rollout in found[:EACH]
        for button in bar.acts_of(Seen.of(rollout), actor)
        if button.name.startswith(verb) or verb in button.label.casefold()
    ]


def _configs(wanted: str, _actor: Actor) -> list[Hit]:
    """Find configs by name with their newest version, or the version that is named: "edge v2"."""
    asked = _VERSION.fullmatch(wanted)
    if asked is None:
        return []
    found = ConfigVersion.objects.filter(config__name__icontains=asked["name"])
    if asked["number"]:
        found = found.filter(number=int(asked["number"]))
    newest = found.order_by("config__name", "-number").distinct("config__name")
    versions = list(newest.select_related("config")[:EACH])
    standing = standings(versions)
    return [
        _config_hit(version, marks.marks(standing.get(version.pk, GOOD)), bool(asked["number"]))
        for version in versions
    ]


def _config_hit(version: ConfigVersion, known: list[marks.KnownBad], is_named: bool) -> Hit:
    name, number = version.config.name, version.number
    url = reverse("configs:version", args=[name, number]) if is_named else ""
    look = words.Look(known[0].token, known[0].icon, known[0].text) if known else None
    return Hit(
        url or reverse("configs:detail", args=[name]),
        "nav-configs",
        f"{name} v{number}" if is_named else name,
        _("version") if is_named else _("config"),
        look,
        "" if is_named else _("newest v%(n)d") % {"n": number},
    )


def _pages(wanted: str, _actor: Actor) -> list[Hit]:
    return [
        Hit(reverse(route), icon, label, _("page")) for label, icon, route in places.found(wanted)
    ]


SOURCES: tuple[Callable[[str, Actor], list[Hit]], ...] = (
    _acts,
    _rollouts,
    _configs,
    _agents,
    _pages,
)


@require_GET
@needs("agents.view")
def page(request: HtmxRequest) -> HttpResponse:
    """Show what matches, each with its state."""
    wanted = _Asked(request.GET).known()["q"]
    hits = [hit for source in SOURCES for hit in source(wanted, request.actor)] if wanted else []
    return render(request, "search/page.html", {"wanted": wanted, "hits": hits})
