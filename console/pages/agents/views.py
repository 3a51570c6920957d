"""Agents: the list with its facets, and one agent with its three facts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.policy import can
from agents.models import Agent
from certs.models import Certificate
from console.lib.paging import COUNT_LIMIT, count_up_to
from console.lib.problems import Missing
from console.lib.web import csvs
from console.pages.agents import dialogs as agent_dialogs
from console.pages.agents import facets as agent_facets
from console.pages.agents import filters as agent_filters
from console.pages.agents import fragments
from console.pages.agents import page as agent_page
from console.pages.agents import rows as agent_rows
from console.pages.agents.filters import AgentFilter
from console.pages.agents.rows import AgentPage, AgentRow
from console.pages.frame.forms import Flag, Listed, PageForm
from console.pages.frame.needs import HtmxRequest, needs

MOST_CERTIFICATES = 50


class _Asked(PageForm):
    """Of the list: which facets are open, which agents are picked for an export."""

    open = Listed()
    id = Listed()
    all = Flag()


@require_GET
@needs("agents.view")
def agent_list(request: HtmxRequest) -> HttpResponse:
    """Show the agents a filter means, worst status first. By HX-Target: table, facets or cells."""
    now = timezone.now()
    form = agent_filters.read(request.GET)
    target = request.htmx.target
    if target == "agent-facets":
        wanted = _Asked(request.GET).known()["open"]
        context = {
            **_counted(form, request.actor, now),
            "form": form,
            "facets": agent_facets.read(form, request.actor, now, wanted=wanted),
            "is_part": True,
        }
        return render(request, "agents/filter/_facets.html", context)
    if form.error is not None:
        page = AgentPage([], "", "", 0)
    else:
        page = agent_rows.page_of(form, request.actor, now)
    if target == "sync":
        return fragments.agent_cells(page.rows, now).answer()
    context = {
        "form": form,
        "page": page,
        "seq": int(now.timestamp() * 1000),
        "counted_at": now,
        "topics": ["agents"],
        "limit": COUNT_LIMIT,
    }
    if target != "agent-table":
        if form.error is None:
            context["all_agents"] = Agent.objects.visible_to(request.actor).living().count()
        return render(request, "agents/list.html", context, status=422 if form.error else 200)
    if form.error is not None:
        return _error_only(request, context)
    response = render(request, "agents/table/_table.html", {**context, "is_part": True})
    response["HX-Push-Url"] = reverse("agents:list") + (form.url() if not form.is_empty else "")
    return response


def _counted(form: AgentFilter, actor: Actor, now: datetime) -> dict[str, object]:
    """Return how many agents match, of how many: what stands in the head of the list."""
    if form.error is not None:
        return {}
    return {
        "page": AgentPage([], "", "", count_up_to(agent_rows.matching(form, actor, now))),
        "all_agents": Agent.objects.visible_to(actor).living().count(),
        "counted_at": now,
        "limit": COUNT_LIMIT,
    }


def _error_only(request: HttpRequest, context: dict[str, object]) -> HttpResponse:
    """Answer a text that cannot be read: the sentence beside the field, the list stays as it is."""
    response = render(request, "agents/filter/_selector_error.html", context, status=422)
    response["HX-Retarget"] = "#selector-error"
    response["HX-Reswap"] = "outerHTML"
    return response


@require_GET
@needs("agents.view")
def detail(request: HtmxRequest, uid: uuid.UUID, tab: str = "summary") -> HttpResponse:
    """Show one agent, or after a gap its live fragments."""
    now = timezone.now()
    found = Agent.objects.visible_to(request.actor).with_status_word(now).for_page()
    agent = found.filter(instance_uid=uid).first()
    if agent is None:
        raise Missing("api.no_agent", uid=uid)
    view = agent_page.read(agent, now, tab)
    if request.htmx.target == "sync":
        return fragments.agent(view, now).answer()
    context = {
        "agent": agent,
        "certificates": _certificates(agent) if tab == "certificate" else [],
        "may_push": settings.CERTIFICATES_PUSH and can(request.actor, "certificates.renew"),
        "view": view,
        "tab": tab,
        "seq": view.seq,
        **agent_dialogs.acts_of(request, agent, view.row),
        "topics": [f"agent:{agent.pk}"],
        "follows": ["agent-changed"],
    }
    return render(request, "agents/detail.html", context)


def _certificates(agent: Agent) -> list[Certificate]:
    return list(Certificate.objects.filter(agent=agent).order_by("-pk")[:MOST_CERTIFICATES])


EXPORT = ("id", "name", "status", "kind", "version", "connected", "config", "labels", "error")


@require_GET
@needs("agents.view")
def export(request: HtmxRequest) -> StreamingHttpResponse:
    """Send the picked agents, or all that match (`all=1` or nothing picked), as CSV."""
    now = timezone.now()
    form = agent_filters.read(request.GET)
    if form.error is not None:
        raise form.error
    found = agent_rows.matching(form, request.actor, now)
    asked = _Asked(request.GET).known()
    picked = asked["id"]
    if picked and not asked["all"]:
        found = found.filter(instance_uid__in=_uuids(picked))
    rows = found.for_list().order_by("name", "pk").iterator(chunk_size=500)
    return csvs.response(
        request, "agents.csv", EXPORT, (_export_row(row) for row in _named(rows, now))
    )


def _uuids(texts: list[str]) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(text) for text in texts]
    except ValueError as error:
        raise Missing("agents.picked_missing") from error


def _named(agents: Iterator[Agent], now: datetime) -> Iterator[AgentRow]:
    while batch := list(islice(agents, 500)):
        yield from agent_rows.rows_of(batch, now)


def _export_row(row: AgentRow) -> list[object]:
    labels = ",".join(f"{key}={value}" for key, value in sorted(row.agent.labels.items()))
    return [
        row.agent.instance_uid,
        row.agent.name,
        row.status,
        row.agent.kind,
        row.agent.version,
        row.connected,
        row.running.full,
        labels,
        row.error,
    ]
