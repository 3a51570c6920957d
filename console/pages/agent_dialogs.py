"""Acts on one agent as forms: labels, restart, quarantine. A dialog with htmx, a page without."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.policy import can, require
from agents.actions.command import restart
from agents.actions.label import set_labels
from agents.actions.quarantine import quarantine
from agents.models import Agent, Quarantine
from console.lib.problems import Denied, FieldError, Invalid, Missing, Problem, Refused
from console.pages.needs import HtmxRequest, needs
from console.pages.plain import plain

REASON_MAX = 500


@dataclass(frozen=True, slots=True)
class AgentAct:
    """One act: who may do it, what it says, and what it does."""

    verb: str
    entry: str
    title: str
    say: str
    button: str
    icon: str
    done: str
    run: Callable[[HtmxRequest, Agent, str], object]
    reason_required: bool = True


def _labels(request: HtmxRequest, agent: Agent, reason: str) -> object:
    wanted: dict[str, str] = {}
    for number, line in enumerate(request.POST.get("labels", "").splitlines(), 1):
        if not line.strip():
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            text = _("Line %(n)d has no “=”; write env=prod.") % {"n": number}
            raise Invalid(text, errors=[FieldError("labels", text)])
        wanted[key.strip()] = value.strip()
    gone = [key for key in agent.operator_labels if key not in wanted]
    return set_labels(agent_id=agent.pk, by=request.actor, set=wanted, remove=gone, reason=reason)


def _restart(request: HtmxRequest, agent: Agent, reason: str) -> object:
    return restart(agent_ids=[agent.pk], by=request.actor, reason=reason)


def _quarantine(request: HtmxRequest, agent: Agent, reason: str) -> object:
    desired = getattr(agent, "desired", None)
    if desired is None:
        raise Refused(_("This agent is assigned no config that could be kept from it."))
    return quarantine(
        config_hash=desired.config_hash,
        agent_ids=[agent.pk],
        outcome=Quarantine.Outcome.BY_HAND,
        by=request.actor,
        reason=reason,
    )


def acts() -> dict[str, AgentAct]:
    """Return the acts; built when asked, so that their words are in the reader's language."""
    return {
        "label": AgentAct(
            "agents.label",
            _("Set labels"),
            _("Labels of %(name)s"),
            _("One label a line, key=value. They win over what the agent reports; a line taken away shows the reported value again."),
            _("Save labels"),
            "check",
            _("Labels saved."),
            _labels,
            reason_required=False,
        ),
        "restart": AgentAct(
            "agents.restart",
            _("Restart agent"),
            _("Restart %(name)s"),
            _("The agent is told to restart its collector. What it runs stays the same."),
            _("Restart agent"),
            "retry",
            _("The agent is told to restart."),
            _restart,
        ),
        "quarantine": AgentAct(
            "quarantine.add",
            _("Quarantine config"),
            _("Keep the assigned config from %(name)s"),
            _("The config it is assigned now is not offered to it again until someone lifts that. It keeps what it runs."),
            _("Quarantine"),
            "lock",
            _("The config is kept from this agent."),
            _quarantine,
        ),
    }  # fmt: skip


ACTS = ("label", "restart", "quarantine")


def menu(request: HtmxRequest, agent: Agent) -> list[tuple[str, str, str, str]]:
    """Return (url, entry, icon, why not) for the page's action bar."""
    found = []
    for verb, act_ in acts().items():
        url = reverse(f"agents:{verb}", args=[agent.instance_uid])
        found.append((url, act_.entry, act_.icon, can(request.actor, act_.verb, agent).why_not))
    return found


@require_http_methods(["GET", "POST"])
@needs("agents.view")
def act(request: HtmxRequest, uid: uuid.UUID, verb: str) -> HttpResponse:
    """Show the form of an act, or carry it out and go back to the agent."""
    found = Agent.objects.visible_to(request.actor).select_related("desired")
    agent = found.filter(instance_uid=uid).first()
    if agent is None:
        raise Missing(_("There is no agent %(uid)s.") % {"uid": uid})
    chosen = acts()[verb]
    if request.method == "GET":
        return _show(request, agent, verb, chosen, None)
    reason = request.POST.get("reason", "").strip()[:REASON_MAX]
    try:
        require(request.actor, chosen.verb, agent)
        if chosen.reason_required and not reason:
            text = _("Say why: others read it later.")
            raise Invalid(text, errors=[FieldError("reason", text)])
        chosen.run(request, agent, reason)
    except (Invalid, Refused, Denied, Missing) as problem:
        return _show(request, agent, verb, chosen, problem)
    messages.success(request, chosen.done)
    url = reverse("agents:detail", args=[uid])
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url, status=303)


def _show(
    request: HtmxRequest, agent: Agent, verb: str, chosen: AgentAct, problem: Problem | None
) -> HttpResponse:
    lines = [f"{plain(key)}={plain(value)}" for key, value in agent.operator_labels.items()]
    context = {
        "agent": agent,
        "verb": verb,
        "act": chosen,
        "title": chosen.title % {"name": plain(agent, limit=80)},
        "problem": problem,
        "labels": request.POST.get("labels", "\n".join(lines)),
        "reason": request.POST.get("reason", ""),
        "url": reverse(f"agents:{verb}", args=[agent.instance_uid]),
        "reason_max": REASON_MAX,
    }
    is_part = request.htmx.target == "dialog"
    template = "agents/_dialog.html" if is_part else "agents/act.html"
    return render(request, template, context, status=problem.status if problem else 200)
