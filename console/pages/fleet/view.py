"""The numbers of the fleet overview, read once for the page and for the live feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.actor import Actor
from agents.models import Agent
from console.pages.drawing.charts import BarPart, stacked_bar
from console.words import states as words
from console.words.plain import plain

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
class Overview:
    """The numbers of the overview; the same for everybody in the same scope."""

    total: int
    healthy: int
    statuses: list[StatusCount]
    bar: SafeString
    versions: list[Split]
    regions: list[Split]
    seq: int


def _splits(pairs: Mapping[str, tuple[int, int]]) -> list[Split]:
    """Return the largest values first; `pairs` are (agents, of them not healthy) by value."""
    found = sorted(pairs.items(), key=lambda item: (-item[1][0], item[0]))[:TOP]
    most = max((number for _value, (number, _bad) in found), default=1)
    return [
        Split(
            value=value,
            count=number,
            bad=bad,
            bar=stacked_bar(
                [BarPart("off", number - bad), BarPart("bad", bad)],
                most,
                _("%(value)s: %(n)d agents, %(bad)d not healthy")
                % {"value": plain(value, limit=80), "n": number, "bad": bad},
            ),
        )
        for value, (number, bad) in found
    ]


def _add(into: dict[str, tuple[int, int]], value: str | None, number: int, bad: int) -> None:
    if value:
        agents, sick = into.get(value, (0, 0))
        into[value] = (agents + number, sick + bad)


def read(actor: Actor, now: datetime) -> Overview:
    """Count the fleet by status, version and region: one pass over the agents."""
    agents = Agent.objects.visible_to(actor).living().with_status_word(now).order_by()
    rows = agents.values_list("status_word", "version", "labels__region").annotate(n=Count("pk"))
    by_word: dict[str, int] = {}
    versions: dict[str, tuple[int, int]] = {}
    regions: dict[str, tuple[int, int]] = {}
    for word, version, region, number in rows:
        bad = 0 if word == "healthy" else number
        by_word[word] = by_word.get(word, 0) + number
        _add(versions, version, number, bad)
        _add(regions, region, number, bad)
    total = sum(by_word.values())
    statuses = [
        StatusCount(word, look, by_word.get(word, 0))
        for word, look in words.AGENT.items()
        if by_word.get(word) or word in {"config_failed", "unhealthy", "offline", "healthy"}
    ]
    parts = [BarPart(BAR_KINDS[s.look.token], s.count) for s in reversed(statuses)]
    return Overview(
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
        regions=_splits(regions),
        seq=int(now.timestamp() * 1000),
    )
