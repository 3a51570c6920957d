"""The page of the audit log: newest first; nothing here can be changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time, timedelta, tzinfo
from typing import Any

from django.db.models import Q, QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.functional import Promise
from django.views.decorators.http import require_GET

from accounts.models import AuditEvent, User
from console.lib.local_time import earliest
from console.lib.texts import said
from console.lib.web import csvs
from console.pages.audit.groups import grouped
from console.pages.frame import keyset
from console.pages.frame.context import zone_of
from console.pages.frame.forms import Day, LineField, OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.words import audit as words

EXACT = {"kind": "object_kind", "object": "object_id", "request": "request_id"}
COLUMNS = (
    *("at", "actor_kind", "actor", "act", "object_kind", "object_id", "object"),
    *("reason", "request_id", "address"),
)
MAX_EXPORT = 100_000
MAX_PEOPLE = 200
A_DAY, MIDNIGHT = timedelta(days=1), time(0)


class AuditFilter(PageForm):
    """What the log is narrowed to, each as it is written in the row; `format` csv exports it.

    `act` that ends with a dot is an area: `rollouts.` is everything about rollouts. `since` and
    `until` are days in the zone of the reader, both included.
    """

    actor = LineField(cut=150)
    act = LineField(cut=150)
    kind = LineField(cut=150)
    object = LineField(cut=150)
    request = LineField(cut=64)
    since = Day()
    until = Day()
    format = OneOf(("csv",))


@dataclass(frozen=True, slots=True)
class MenuGroup:
    """A part of the menu of acts: an area, and its acts by code."""

    area: str
    label: Promise | str
    acts: list[tuple[str, Promise | str]]


@require_GET
@needs("audit.view")
def page(request: HtmxRequest) -> HttpResponseBase:
    """Show the rows a filter means; `?format=csv` exports them."""
    form = AuditFilter(request.GET)
    given = form.known()
    found = narrowed(AuditEvent.objects.all(), given, zone_of(request.user))
    if given["format"] == "csv":
        return csvs.response(request, "audit.csv", COLUMNS, _rows(found))
    part = keyset.newest_first(found, request.GET)
    context = {
        "page": part,
        "groups": grouped(part.rows),
        "given": form.typed,
        "wrong": form.wrong,
        "is_narrowed": any(value for name, value in given.items() if name != "format"),
        "actors": _kept(_actors(), given["actor"]),
        "acts": menu(),
        "act_kept": "" if _is_listed(given["act"]) else given["act"],
        "kinds": _kept(list(words.OBJECTS.items()), given["kind"]),
    }
    return render(request, "audit/list.html", context)


def narrowed(
    found: QuerySet[AuditEvent], given: Mapping[str, Any], zone: tzinfo
) -> QuerySet[AuditEvent]:
    """Keep the rows that fit every filter. What a person's tokens did is found under the person."""
    for name, column in EXACT.items():
        if given[name]:
            found = found.filter(**{column: given[name]})
    if given["actor"]:
        found = found.filter(Q(actor_name=given["actor"]) | Q(actor__username=given["actor"]))
    if given["act"].endswith("."):
        found = found.filter(act__startswith=given["act"])
    elif given["act"]:
        found = found.filter(act=given["act"])
    if given["since"]:
        found = found.filter(at__gte=earliest(given["since"], MIDNIGHT, zone))
    if given["until"]:
        found = found.filter(at__lt=earliest(given["until"] + A_DAY, MIDNIGHT, zone))
    return found


def menu() -> list[MenuGroup]:
    """Return the acts by area, as the menu lists them."""
    groups: dict[str, list[tuple[str, Promise | str]]] = {}
    for code, does in words.ACTS.items():
        groups.setdefault(words.area_of(code), []).append((code, does))
    return [
        MenuGroup(f"{area}.", words.AREAS.get(area, area), acts) for area, acts in groups.items()
    ]


def _is_listed(act: str) -> bool:
    return not act or act in words.ACTS or act.removesuffix(".") in words.AREAS


def _actors() -> list[tuple[str, Promise | str]]:
    """Return who can have acted: the engine, and people; tokens act as their owners."""
    names = User.objects.order_by("username").values_list("username", flat=True)[:MAX_PEOPLE]
    return [("system", "system"), *((name, name) for name in names)]


def _kept(options: list[tuple[str, Promise | str]], given: str) -> list[tuple[str, Promise | str]]:
    """Return a menu that has what is asked for, though nobody lists it."""
    known = {value for value, _label in options}
    return options if not given or given in known else [*options, (given, given)]


def _rows(found: QuerySet[AuditEvent]) -> Iterator[list[object]]:
    for event in found.order_by("-pk")[:MAX_EXPORT].iterator(chunk_size=500):
        yield [
            event.at.isoformat(),
            event.actor_kind,
            event.actor_name,
            event.act,
            event.object_kind,
            event.object_id,
            event.object_name,
            said(event.reason),
            event.request_id,
            event.address,
        ]
