"""Certificates: the list with its expiry timeline, one certificate, and acts on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_GET, require_http_methods

from accounts.actor import Actor
from accounts.models import AuditEvent
from accounts.policy import can
from agents.models import Agent
from certs.actions.approve import approve, refuse
from certs.actions.pause import resume_rotation
from certs.actions.push import push_certificate
from certs.actions.renew import renew
from certs.actions.revoke import revoke
from certs.models import Certificate
from certs.rotation.states import ISSUED_STATES, OPEN_STATES, CertificateState
from console.lib.problems import Missing, Problem
from console.pages.certificates.numbers import WITHIN_DAYS, standing
from console.pages.frame import keyset
from console.pages.frame.forms import REASON_MAX, LineField, Number, OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs

_S = CertificateState
SHOWN = ("all", "in-use", "on-the-way", "waiting", "failed", "over")
_STATES = {
    "in-use": (_S.INSTALLED,),
    "on-the-way": tuple(sorted(OPEN_STATES)),
    "failed": (_S.FAILED, _S.ROLLED_BACK),
    "over": (_S.SUPERSEDED, _S.EXPIRED, _S.REVOKED, _S.CANCELLED),
}


class _Asked(PageForm):
    """Which certificates are listed: by how they stand, and by the days within which they end."""

    show = OneOf(SHOWN, initial="all")
    within = Number()


class _Reason(PageForm):
    reason = LineField(
        cut=REASON_MAX,
        required=True,
        error_messages={"required": _l("Say why: others read it later.")},
    )


def visible(actor: Actor) -> QuerySet[Certificate]:
    """Return the certificates of agents that somebody may see."""
    return Certificate.objects.for_list().filter(agent__in=Agent.objects.visible_to(actor))


@require_GET
@needs("agents.view")
def index(request: HtmxRequest) -> HttpResponse:
    """List certificates, newest first, under how they all stand."""
    now = timezone.now()
    asked = _Asked(request.GET).known()
    found = visible(request.actor)
    rows = found
    if asked["show"] in _STATES:
        rows = rows.filter(state__in=_STATES[asked["show"]])
    elif asked["show"] == "waiting":
        rows = rows.filter(state=_S.PENDING, is_approved=False)
    if asked["within"] in WITHIN_DAYS:
        ends_by = now + timedelta(days=asked["within"])
        rows = rows.filter(state=_S.INSTALLED, not_after__lt=ends_by)
    context = {
        "numbers": standing(found, now),
        "page": keyset.newest_first(rows, request.GET),
        "show": asked["show"] or "all",
        "within": asked["within"],
        "may_resume": can(request.actor, "certificates.resume"),
        "reason_max": REASON_MAX,
    }
    return render(request, "certificates/list.html", context)


@require_GET
@needs("agents.view")
def detail(request: HtmxRequest, certificate_id: int) -> HttpResponse:
    """Show one certificate: its names and times, what it waits for, what happened to it."""
    return _show(request, _one(request, certificate_id), None)


@dataclass(frozen=True, slots=True)
class _Act:
    do: Callable[..., object]
    verb: str
    label: Promise
    done: Promise


ACTS = {
    "approve": _Act(
        approve,
        "certificates.approve",
        _l("Approve"),
        _l("Approved. The certificate is issued with the next turn."),
    ),
    "refuse": _Act(
        refuse,
        "certificates.approve",
        _l("Refuse"),
        _l("Refused. The agent is told why."),
    ),
    "renew": _Act(
        renew,
        "certificates.renew",
        _l("Renew now"),
        _l("Another certificate is on its way."),
    ),
    "revoke": _Act(
        revoke,
        "certificates.revoke",
        _l("Revoke"),
        _l("Revoked. Connections with it end within seconds."),
    ),
}


@require_http_methods(["GET", "POST"])
@needs("agents.view")
def act(request: HtmxRequest, certificate_id: int, verb: str) -> HttpResponse:
    """Do one act with its reason and show the certificate again."""
    certificate = _one(request, certificate_id)
    if request.method == "GET":
        return _show(request, certificate, None)
    try:
        reason = _Reason(request.POST).checked()["reason"]
        ACTS[verb].do(certificate_id=certificate.pk, by=request.actor, reason=reason)
    except Problem as problem:
        return _show(request, _one(request, certificate_id), problem)
    messages.success(request, str(ACTS[verb].done))
    return HttpResponseRedirect(reverse("certificates:detail", args=[certificate.pk]), status=303)


@require_http_methods(["GET", "POST"])
@needs("agents.view")
def push(request: HtmxRequest, uid: UUID) -> HttpResponse:
    """Have a key made for an agent and sent with its certificate; back to the agent's tab."""
    agent = Agent.objects.visible_to(request.actor).filter(instance_uid=uid).first()
    if agent is None:
        raise Missing("api.no_agent", uid=uid)
    if request.method == "POST":
        try:
            reason = _Reason(request.POST).checked()["reason"]
            push_certificate(agent_id=agent.pk, by=request.actor, reason=reason)
            messages.success(request, _("A certificate is on its way to the agent."))
        except Problem as problem:
            messages.error(request, problem.detail)
        return HttpResponseRedirect(reverse("agents:certificate", args=[uid]), status=303)
    return redirect("agents:certificate", uid)


@require_http_methods(["GET", "POST"])
@needs("agents.view")
def resume(request: HtmxRequest) -> HttpResponse:
    """Let renewals go on."""
    if request.method == "GET":
        return redirect("certificates:list")
    try:
        reason = _Reason(request.POST).checked()["reason"]
        resume_rotation(by=request.actor, reason=reason)
        messages.success(request, _("Renewals go on."))
    except Problem as problem:
        messages.error(request, problem.detail)
    return HttpResponseRedirect(reverse("certificates:list"), status=303)


def _one(request: HtmxRequest, certificate_id: int) -> Certificate:
    found = (
        visible(request.actor)
        .select_related("agent", "request", "before", "registered", "authority__trusted")
        .filter(pk=certificate_id)
        .first()
    )
    if found is None:
        raise Missing("cert.missing")
    return found


def _show(request: HtmxRequest, certificate: Certificate, problem: Problem | None) -> HttpResponse:
    events = AuditEvent.objects.filter(object_kind="certificate", object_id=str(certificate.pk))
    context = {
        "certificate": certificate,
        "events": events.order_by("pk"),
        "acts": [
            (
                reverse(f"certificates:{name}", args=[certificate.pk]),
                ACTS[name].label,
                can(request.actor, ACTS[name].verb),
            )
            for name in _possible(certificate)
        ],
        "problem": problem,
        "reason_max": REASON_MAX,
    }
    status = problem.status if problem else 200
    return render(request, "certificates/detail.html", context, status=status)


def _possible(certificate: Certificate) -> list[str]:
    """Return the acts that the certificate allows as it stands."""
    if certificate.state == _S.PENDING:
        return [] if certificate.is_approved else ["approve", "refuse"]
    if certificate.state == _S.INSTALLED:
        return ["renew", "revoke"]
    return ["revoke"] if certificate.state in ISSUED_STATES else []
