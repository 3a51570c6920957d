"""Facets of the agents list: how many agents each value has, under the rest of the filter.

A facet's own values ignore its own filter, so that another value can be chosen. Counts are
cached for 5 s per filter; they load after the table (ui.md 4.2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.cache import cache
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from accounts.actor import Actor
from agents.selectors.fields import FIELDS, SICK, component_said, component_written
from agents.selectors.grammar import Match
from console.pages.agents.filters import AgentFilter
from console.pages.agents.rows import matching
from console.words import states as words

CACHE_S = 5
# Shown with a nought as well: that none is offline is an answer.
ALWAYS = frozenset({"config_failed", "unhealthy", "offline", "applying", "drifted", "healthy"})
VALUES = 8  # values shown per label; the rest is reached by writing the selector
FIRST = ("env", "region", "role", "tier", "version", "team", "cluster")
# Labels that name one agent each are no facets.
MAX_DISTINCT = 200


@dataclass(frozen=True, slots=True)
class Value:
    """One box of a facet."""

    value: str
    count: int
    is_ticked: bool
    look: words.Look | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    """One label, or the sick components, with its values, most frequent first."""

    key: str
    title: str
    values: list[Value]
    hidden: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Everything beside the table. `boxes` are the facets whose boxes edit the selector."""

    statuses: list[Value]
    boxes: list[Facet]
    more: list[str]
    can_tick: bool


Counted = tuple[dict[str, int], dict[str, dict[str, int]]]


def _labels(form: AgentFilter, actor: Actor, now: datetime) -> dict[str, dict[str, int]]:
    """Count labels, and the sick components as if they were one. Who is ticked ignores itself."""
    found = matching(form, actor, now)
    counts = found.by_label()
    counts[SICK] = found.by_sick_component()
    for key in list(counts):
        if form.values_of(key):
            others = matching(form.without_label(key), actor, now)
            counts[key] = (
                others.by_sick_component() if key == SICK else others.by_label().get(key, {})
            )
    counts[SICK] = {component_written(name): n for name, n in counts[SICK].items()}
    return counts


def _counted(form: AgentFilter, actor: Actor, now: datetime) -> Counted:
    """Count, or take the counts of the last 5 s. Own filters of ticked labels are left out."""
    key = "facets:" + hashlib.sha256(f"{form.query}|{actor.name}".encode()).hexdigest()[:40]
    try:
        kept: Counted | None = cache.get(key)
    except RedisError:
        kept = None
    if kept is not None:
        return kept
    statuses = matching(replace(form, statuses=()), actor, now).by_status()
    counts = (statuses, _labels(form, actor, now))
    try:
        cache.set(key, counts, CACHE_S)
    except RedisError:
        return counts
    return counts


def _facet(form: AgentFilter, key: str, counts: dict[str, int]) -> Facet:
    ticked = form.values_of(key)
    if key == SICK:
        ticked = frozenset(component_written(component_said(value)) for value in ticked)
    counts = {**dict.fromkeys(ticked, 0), **counts} if key == SICK else counts
    ordered = sorted(counts.items(), key=lambda item: (item[0] not in ticked, -item[1], item[0]))
    shown = ordered[: max(VALUES, len(ticked))]
    return Facet(
        key=key,
        title=_("Unhealthy component") if key == SICK else key,
        values=[Value(v, n, v in ticked) for v, n in shown],
        hidden=max(0, len(ordered) - len(shown)),
    )


def read(form: AgentFilter, actor: Actor, now: datetime, *, wanted: list[str]) -> Facets:
    """Return the facets: the usual labels first, `wanted` ones opened by the person."""
    status_counts, labels = _counted(form, actor, now)
    sick = _facet(form, SICK, labels.pop(SICK))
    useful = {
        key: counts
        for key, counts in labels.items()
        if (1 < len(counts) <= MAX_DISTINCT or form.values_of(key)) and key not in FIELDS
    }
    first = [key for key in FIRST if key in useful]
    opened = [k for k in useful if k not in first and (k in wanted or form.values_of(k))]
    rest = sorted(k for k in useful if k not in first and k not in opened)
    statuses = [
        Value(word, status_counts.get(word, 0), word in form.statuses, look)
        for word, look in words.AGENT.items()
        if status_counts.get(word) or word in form.statuses or word in ALWAYS
    ]
    return Facets(
        statuses=statuses,
        boxes=[sick] * bool(sick.values) + [_facet(form, k, useful[k]) for k in first + opened],
        more=rest,
        can_tick=form.selector.match is Match.ALL,
    )
