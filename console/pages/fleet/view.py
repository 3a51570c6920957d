"""The numbers of the fleet overview, read once for the page and for the live feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.actor import Actor
from agents import sampling
from agents.models import Agent, FleetSample
from console.pages.drawing.charts import BarPart, stacked_bar
from console.pages.fleet import health, uses
from console.words import states as words
from console.words.plain import plain

TOP = 6
AN_HOUR = timedelta(hours=1)
USUAL = frozenset({"config_failed", "unhealthy", "offline", "drifted", "healthy"})
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
    """One status with its number, and how many more there are than an hour ago: None when nobody
    counted then."""

    word: str
    look: words.Look
    count: int
    change: int | None


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
    uses: uses.VersionUses
    health: health.FleetHealth | None
    has_change: bool
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
    """Count the fleet by status, version, region and config: one pass over the agents, and three
    queries for samples, rollouts and names."""
    agents = Agent.objects.visible_to(actor).living().with_status_word(now).order_by()
    rows = agents.values_list("status_word", "version", "labels__region", "status__running_hash")
    by_word: dict[str, int] = {}
    versions: dict[str, tuple[int, int]] = {}
    regions: dict[str, tuple[int, int]] = {}
    configs: dict[tuple[str, str], int] = {}
    for word, version, region, running, number in rows.annotate(n=Count("pk")):
        bad = 0 if word in health.WELL else number
        by_word[word] = by_word.get(word, 0) + number
        _add(versions, version, number, bad)
        _add(regions, region, number, bad)
        key = (running or "", word)
        configs[key] = configs.get(key, 0) + number
    samples = sampling.since(now - health.SPAN)
    before = sampling.about(samples, now - AN_HOUR)
    total = sum(by_word.values())
    statuses = _statuses(by_word, before)
    return Overview(
        total=total,
        healthy=by_word.get("healthy", 0),
        statuses=statuses,
        bar=_bar(statuses, total),
        versions=_splits(versions),
        regions=_splits(regions),
        uses=uses.read(configs),
        health=health.read(actor, samples, now),
        has_change=before is not None,
        seq=int(now.timestamp() * 1000),
    )


def _statuses(by_word: Mapping[str, int], before: FleetSample | None) -> list[StatusCount]:
    """Return the usual statuses, and every other one that some agent has."""
    found = []
    for word, look in words.AGENT.items():
        count = by_word.get(word, 0)
        if count or word in USUAL:
            change = count - int(before.counts.get(word, 0)) if before is not None else None
            found.append(StatusCount(word, look, count, change))
    return found


def _bar(statuses: Sequence[StatusCount], total: int) -> SafeString:
    parts = [BarPart(BAR_KINDS[s.look.token], s.count) for s in reversed(statuses)]
    told = ", ".join(f"{s.count} {s.look.word}" for s in statuses if s.count)
    return stacked_bar(parts, total, told, css="thick")
