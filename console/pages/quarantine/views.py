"""The versions that are quarantined, one of them with its agents, and the dialog that lifts it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.policy import can, require
from agents.models import Agent, Quarantine
from console.lib.problems import Denied, Invalid, Missing, Problem, Refused
from console.pages.frame import keyset
from console.pages.frame.forms import REASON_MAX, Flag, LineField, Number, OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.quarantine.rows import KeptVersion, row_of, rows
from rollouts.actions.lift_quarantine import lift_version

SCOPES = ("all", "fleet")


class _Shown(PageForm):
    all = Flag()


class _Asked(PageForm):
    """Which agent the dialog is about; "" for the version."""

    agent = LineField()


class LiftForm(PageForm):
    """What is lifted, up to the newest quarantine that the person saw, and why."""

    scope = OneOf(SCOPES, initial="all")
    agent = LineField()
    upto = Number(1, needed=_l("Open the dialog again: it does not say what it showed."))
    reason = LineField(
        cut=REASON_MAX,
        required=True,
        error_messages={"required": _l("Say why: others read it later.")},
    )


@require_GET
@needs("agents.view")
def index(request: HtmxRequest) -> HttpResponse:
    """List the versions somebody is kept from; with `?all=1` also those that were lifted."""
    show_all = _Shown(request.GET).known()["all"]
    context = {
        "kind": "quarantine",
        "rows": rows(with_lifted=show_all),
        "topics": ["agents"],
        "follows": ["quarantines-changed", "agents-changed"],
        "all": show_all,
        "may_lift": can(request.actor, "quarantine.lift"),
    }
    return render(request, "quarantine/list.html", context)


@require_GET
@needs("agents.view")
def detail(request: HtmxRequest, config_hash: str) -> HttpResponse:
    """Show one version: what its agents said, and each agent that is kept from it."""
    found = _row(config_hash)
    show_all = _Shown(request.GET).known()["all"]
    each = Quarantine.objects.filter(config_hash=config_hash).select_related("agent")
    if not show_all:
        each = each.filter(lifted_at=None)
    context = {
        "kind": "quarantine",
        "row": found,
        "page": keyset.newest_first(each, request.GET),
        "topics": ["agents"],
        "follows": ["quarantines-changed", "agents-changed"],
        "all": show_all,
        "may_lift": can(request.actor, "quarantine.lift"),
    }
    return render(request, "quarantine/detail.html", context)


@require_http_methods(["GET", "POST"])
@needs("agents.view")
def lift(request: HtmxRequest, config_hash: str) -> HttpResponse:
    """Show what a lift would do, or do it and go back to the list."""
    found = _row(config_hash)
    if request.method == "GET":
        return _show(request, found, _Asked(request.GET).known()["agent"], LiftForm(None), None)
    form = LiftForm(request.POST)
    try:
        require(request.actor, "quarantine.lift")
        given = form.checked()
        agent = _agent(given["agent"])
        lifted = lift_version(
            config_hash=config_hash,
            agent=agent.pk if agent else None,
            fleet_only=given["scope"] == "fleet",
            upto=given["upto"],
            by=request.actor,
            reason=given["reason"],
        )
    except (Denied, Refused, Invalid) as problem:
        return _show(request, found, form.typed["agent"], form, problem)
    says = ngettext(
        "Lifted. The next rollout may offer it again.",
        "%(n)d lifted. The next rollout may offer it again.",
        len(lifted),
    )
    messages.success(request, says % {"n": len(lifted)})
    url = reverse("settings:quarantine")
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url, status=303)


def _show(
    request: HtmxRequest, row: KeptVersion, uid: str, form: LiftForm, problem: Problem | None
) -> HttpResponse:
    newest = Quarantine.objects.filter(config_hash=row.name.config_hash).order_by("-pk").first()
    context = {
        "kind": "quarantine",
        "row": row,
        "agent": _agent(uid),
        "upto": form.typed["upto"] or (newest.pk if newest else 0),
        "scope": form.typed["scope"] or "all",
        "reason": form.typed["reason"],
        "reason_max": REASON_MAX,
        "problem": problem,
        "may": can(request.actor, "quarantine.lift"),
    }
    is_part = request.htmx.target == "dialog"
    template = "quarantine/_dialog.html" if is_part else "quarantine/lift.html"
    return render(request, template, context, status=problem.status if problem else 200)


def _row(config_hash: str) -> KeptVersion:
    found = row_of(config_hash)
    if found is None:
        raise Missing("quarantine.missing")
    return found


def _agent(uid: str) -> Agent | None:
    """Return the agent that the address names; None when it names none."""
    if not uid:
        return None
    try:
        return Agent.objects.get(instance_uid=UUID(uid))
    except (ValueError, Agent.DoesNotExist) as error:
        raise Missing("api.no_agent", uid=uid[:100]) from error
