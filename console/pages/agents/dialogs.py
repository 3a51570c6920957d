"""Acts on one agent as forms: a dialog with htmx, a page without. What they do: `acts.py`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.policy import can, require
from agents.actions.retry_config import is_kept
from agents.models import Agent
from console.lib.problems import Denied, Invalid, Missing, Problem, Refused
from console.pages.agents.acts import ACTS, RETRY, AgentAct, Field
from console.pages.agents.rows import AgentRow
from console.pages.frame.forms import REASON_MAX, LineField, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.words.plain import plain


@dataclass(frozen=True, slots=True)
class _Opened:
    """An act on an agent with the fields of its dialog, made once."""

    agent: Agent
    verb: str
    act: AgentAct
    fields: tuple[Field, ...]


class AgentForm(PageForm):
    """The fields of an act, then why."""

    def __init__(self, data: QueryDict | None, opened: _Opened) -> None:
        super().__init__(data)
        for one in opened.fields:
            self.fields[one.name] = one.reads(initial=one.value)
        says = gettext_lazy("Say why: others read it later.")
        self.fields["reason"] = LineField(
            cut=REASON_MAX,
            required=opened.act.reason_required,
            error_messages={"required": says},
        )


@dataclass(frozen=True, slots=True)
class AgentEntry:
    """An act as the page offers it; `why_not` where this person or this agent cannot."""

    url: str
    label: str
    icon: str
    why_not: str


def acts_of(request: HtmxRequest, agent: Agent, row: AgentRow) -> dict[str, object]:
    """Return the action bar of an agent: `primary`, the one thing that people come for when its config
    failed (else None), `menu` with all others, and where the `quarantine` is that forbids the primary
    one ("" for none)."""
    entries = {verb: _entry(request, agent, verb) for verb in ACTS}
    has_failed = row.status in {"config_failed", "quarantined"}
    primary = entries.pop(RETRY) if has_failed else None
    kept = primary is not None and bool(primary.why_not) and bool(row.wanted)
    return {
        "primary": primary,
        "menu": list(entries.values()),
        "quarantine": reverse("settings:quarantined", args=[row.wanted.config_hash])
        if kept and is_kept(row.wanted.config_hash, agent.pk)
        else "",
    }


def _entry(request: HtmxRequest, agent: Agent, verb: str) -> AgentEntry:
    act_ = ACTS[verb]
    return AgentEntry(
        url=reverse(f"agents:{verb}", args=[agent.instance_uid]),
        label=str(act_.entry),
        icon=act_.icon,
        why_not=can(request.actor, act_.verb, agent).why_not or act_.why_not(agent),
    )


@require_http_methods(["GET", "POST"])
@needs("agents.view")
def act(request: HtmxRequest, uid: uuid.UUID, verb: str) -> HttpResponse:
    """Show the form of an act, or carry it out and go back to the agent."""
    found = Agent.objects.visible_to(request.actor).select_related("desired", "status")
    agent = found.filter(instance_uid=uid).first()
    if agent is None:
        raise Missing(_("There is no agent %(uid)s.") % {"uid": uid})
    opened = _Opened(agent, verb, ACTS[verb], ACTS[verb].fields(agent))
    if request.method == "GET":
        return _show(request, opened, AgentForm(None, opened), None)
    form = AgentForm(request.POST, opened)
    try:
        require(request.actor, opened.act.verb, agent)
        typed = form.checked()
        opened.act.run(request.actor, agent, typed, typed["reason"])
    except (Invalid, Refused, Denied, Missing) as problem:
        return _show(request, opened, form, problem)
    messages.success(request, str(opened.act.done))
    url = reverse("agents:detail", args=[uid])
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url, status=303)


def _show(
    request: HtmxRequest, opened: _Opened, form: AgentForm, problem: Problem | None
) -> HttpResponse:
    shown = form.typed
    context = {
        "agent": opened.agent,
        "act": opened.act,
        "title": str(opened.act.title) % {"name": plain(opened.agent, limit=80)},
        "problem": problem,
        "fields": [replace(one, value=shown[one.name]) for one in opened.fields],
        "reason": shown["reason"],
        "url": reverse(f"agents:{opened.verb}", args=[opened.agent.instance_uid]),
        "reason_max": REASON_MAX,
    }
    is_part = request.htmx.target == "dialog"
    template = "agents/dialog/_dialog.html" if is_part else "agents/dialog/act.html"
    return render(request, template, context, status=problem.status if problem else 200)
