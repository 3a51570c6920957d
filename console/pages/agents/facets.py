"""Facets of the agents list: how many agents each value has, under the rest of the filter.

A facet's own values ignore its own filter, so that another value can be chosen. Counts are
cached for 5 s per filter; they load after the table (ui.md 4.2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.cache import cache
from django.db import connection
from django.db.models import Count
from redis.exceptions import RedisError

from accounts.actor import Actor
from agents.selectors.fields import FIELDS
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
    """One label with its values, most frequent first."""

    key: str
    values: list[Value]
    hidden: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Everything beside the table."""

    statuses: list[Value]
    labels: list[Facet]
    more: list[str]
    can_tick: bool


def _status_counts(form: AgentFilter, actor: Actor, now: datetime) -> dict[str, int]:
    found = matching(replace(form, statuses=()), actor, now).order_by()
    return dict(found.values_list("status_word").annotate(n=Count("pk")))


def _label_counts(form: AgentFilter, actor: Actor, now: datetime) -> dict[str, dict[str, int]]:
    """Count every value of every label of the matching agents in one pass."""
    found = matching(form, actor, now).order_by().values("labels")
    sql, params = found.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT l.key, l.value, count(*) FROM ({sql}) AS matched, "  # noqa: S608 ours
            "jsonb_each_text(matched.labels) AS l GROUP BY 1, 2",
            params,
        )
        counts: dict[str, dict[str, int]] = {}
        for key, value, number in cursor.fetchall():
            counts.setdefault(key, {})[value] = number
    return counts


Counted = tuple[dict[str, int], dict[str, dict[str, int]]]


def _counted(form: AgentFilter, actor: Actor, now: datetime) -> Counted:
    """Count, or take the counts of the last 5 s. Own filters of ticked labels are left out."""
    key = "facets:" + hashlib.sha256(f"{form.query}|{actor.name}".encode()).hexdigest()[:40]
    try:
        kept: Counted | None = cache.get(key)
    except RedisError:
        kept = None
    if kept is not None:
        return kept
    labels = _label_counts(form, actor, now)
    for label in list(labels):
        if form.values_of(label):
            labels[label] = _label_counts(form.without_label(label), actor, now).get(label, {})
    counts = (_status_counts(form, actor, now), labels)
    try:
        cache.set(key, counts, CACHE_S)
    except RedisError:
        return counts
    return counts


def _facet(form: AgentFilter, key: str, counts: dict[str, int]) -> Facet:
    ticked = form.values_of(key)
    ordered = sorted(counts.items(), key=lambda item: (item[0] not in ticked, -item[1], item[0]))
    shown = ordered[: max(VALUES, len(ticked))]
    return Facet(
        key=key,
        values=[Value(v, n, v in ticked) for v, n in shown],
        hidden=max(0, len(ordered) - len(shown)),
    )


def read(form: AgentFilter, actor: Actor, now: datetime, *, wanted: list[str]) -> Facets:
    """Return the facets: the usual labels first, `wanted` ones opened by the person."""
    status_counts, labels = _counted(form, actor, now)
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
        labels=[_facet(form, key, useful[key]) for key in first + opened],
        more=rest,
        can_tick=form.selector.match is Match.ALL,
    )
