"""Acts on one agent as forms: a dialog with htmx, a page without. What they do: `acts.py`."""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.policy import can, require
from agents.models import Agent
from console.lib.problems import Denied, FieldError, Invalid, Missing, Problem, Refused
from console.pages.agents.acts import ACTS, AgentAct
from console.pages.frame.needs import HtmxRequest, needs
from console.words.plain import plain

REASON_MAX = 500


def menu(request: HtmxRequest, agent: Agent) -> list[tuple[str, str, str, str]]:
    """Return (url, entry, icon, why not) for the page's action bar."""
    found = []
    for verb, act_ in ACTS.items():
        url = reverse(f"agents:{verb}", args=[agent.instance_uid])
        why_not = can(request.actor, act_.verb, agent).why_not or act_.why_not(agent)
        found.append((url, str(act_.entry), act_.icon, why_not))
    return found


@require_http_methods(["GET", "POST"])
@needs("agents.view")
def act(request: HtmxRequest, uid: uuid.UUID, verb: str) -> HttpResponse:
    """Show the form of an act, or carry it out and go back to the agent."""
    found = Agent.objects.visible_to(request.actor).select_related("desired", "status")
    agent = found.filter(instance_uid=uid).first()
    if agent is None:
        raise Missing(_("There is no agent %(uid)s.") % {"uid": uid})
    chosen = ACTS[verb]
    if request.method == "GET":
        return _show(request, agent, verb, chosen, None)
    reason = request.POST.get("reason", "").strip()[:REASON_MAX]
    try:
        require(request.actor, chosen.verb, agent)
        if chosen.reason_required and not reason:
            text = _("Say why: others read it later.")
            raise Invalid(text, errors=[FieldError("reason", text)])
        typed = {one.name: request.POST.get(one.name, "") for one in chosen.fields(agent)}
        chosen.run(request.actor, agent, typed, reason)
    except (Invalid, Refused, Denied, Missing) as problem:
        return _show(request, agent, verb, chosen, problem)
    messages.success(request, str(chosen.done))
    url = reverse("agents:detail", args=[uid])
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url, status=303)


def _show(
    request: HtmxRequest, agent: Agent, verb: str, chosen: AgentAct, problem: Problem | None
) -> HttpResponse:
    fields = chosen.fields(agent)
    context = {
        "agent": agent,
        "act": chosen,
        "title": str(chosen.title) % {"name": plain(agent, limit=80)},
        "problem": problem,
        "fields": [replace(one, value=request.POST.get(one.name, one.value)) for one in fields],
        "reason": request.POST.get("reason", ""),
        "url": reverse(f"agents:{verb}", args=[agent.instance_uid]),
        "reason_max": REASON_MAX,
    }
    is_part = request.htmx.target == "dialog"
    template = "agents/dialog/_dialog.html" if is_part else "agents/dialog/act.html"
    return render(request, template, context, status=problem.status if problem else 200)
