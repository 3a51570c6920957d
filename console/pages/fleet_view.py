"""The numbers of the fleet overview, read once for the page and for the live feed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.audit import Actor
from agents.models import Agent
from console.pages import words
from console.pages.charts import Part, stacked_bar
from console.pages.plain import plain

TOP = 6
BAR_KINDS = {
    "ok": "ok",
    "warn": "warn",
    "run": "run",
    "wait": "wait",
    "off": "offline",
    "bad": "bad",
}


@dataclass(frozen=True, slots=True)
class StatusCount:
    """One status with its number."""

    word: str
    look: words.Look
    count: int


@dataclass(frozen=True, slots=True)
class Split:
    """One value of a label or version: how many agents, how many of them not healthy."""

    value: str
    count: int
    bad: int
    bar: SafeString


@dataclass(frozen=True, slots=True)
class Fleet:
    """The numbers of the overview; the same for everybody in the same scope."""

    total: int
    healthy: int
    statuses: list[StatusCount]
    bar: SafeString
    versions: list[Split]
    regions: list[Split]
    seq: int


def _splits(pairs: Iterable[tuple[str | None, int, int]]) -> list[Split]:
    found = sorted(pairs, key=lambda row: -row[1])[:TOP]
    most = max((row[1] for row in found), default=1)
    return [
        Split(
            value=value or _("none"),
            count=number,
            bad=bad,
            bar=stacked_bar(
                [Part("off", number - bad), Part("bad", bad)],
                most,
                _("%(value)s: %(n)d agents, %(bad)d not healthy")
                % {"value": plain(value or _("none"), limit=80), "n": number, "bad": bad},
            ),
        )
        for value, number, bad in found
    ]


def read(actor: Actor, now: datetime) -> Fleet:
    """Count the fleet: by status, version and region; three queries."""
    agents = Agent.objects.visible_to(actor).with_status_word(now).order_by()
    by_word = dict(agents.values_list("status_word").annotate(n=Count("pk")))
    total = sum(by_word.values())
    bad = Count("pk", filter=~Q(status_word="healthy"))
    versions = agents.values_list("version").annotate(n=Count("pk"), bad=bad)
    regions = agents.values_list("labels__region").annotate(n=Count("pk"), bad=bad)
    statuses = [
        StatusCount(word, look, by_word.get(word, 0))
        for word, look in words.AGENT.items()
        if by_word.get(word) or word in {"config_failed", "unhealthy", "offline", "healthy"}
    ]
    parts = [Part(BAR_KINDS[s.look.token], s.count) for s in reversed(statuses)]
    return Fleet(
        total=total,
        healthy=by_word.get("healthy", 0),
        statuses=statuses,
        bar=stacked_bar(
            parts,
            total,
            ", ".join(f"{s.count} {str(s.look.label).lower()}" for s in statuses if s.count),
            css="thick",
        ),
        versions=_splits(versions),
        regions=_splits(row for row in regions if row[0]),
        seq=int(now.timestamp() * 1000),
    )
