"""Quarantine: hashes that are not offered again, per agent or to nobody, until a person lifts it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.policy import can
from agents.actions.quarantine import lift
from agents.models import Quarantine
from console.lib.problems import Denied, Invalid, Missing, Problem, Refused
from console.pages.configs.names import names_of
from console.pages.frame import keyset
from console.pages.frame.needs import HtmxRequest, needs


@require_http_methods(["GET", "POST"])
@needs("agents.view")
def page(request: HtmxRequest) -> HttpResponse:
    """List quarantines, newest first, live ones unless `?all=1`; lift one with a reason."""
    problem: Problem | None = None
    if request.method == "POST":
        try:
            _lift(request)
        except (Denied, Refused, Missing, Invalid) as found:
            problem = found
        else:
            messages.success(request, _("Lifted. The next push may offer it again."))
            return HttpResponseRedirect(reverse("settings:quarantine"), status=303)
    found_rows = Quarantine.objects.select_related("agent")
    if not request.GET.get("all"):
        found_rows = found_rows.filter(lifted_at=None)
    rows = keyset.newest_first(found_rows, request.GET)
    names = names_of(row.config_hash for row in rows.rows)
    context = {
        "kind": "quarantine",
        "rows": [(row, names[row.config_hash]) for row in rows.rows],
        "page": rows,
        "all": bool(request.GET.get("all")),
        "problem": problem,
        "may_lift": can(request.actor, "quarantine.lift"),
    }
    status = problem.status if problem else 200
    return render(request, "settings/quarantine.html", context, status=status)


def _lift(request: HtmxRequest) -> None:
    number = request.POST.get("id", "")
    if not number.isdecimal() or len(number) > 18:
        raise Missing(_("There is no such quarantine."))
    lift(quarantine_id=int(number), by=request.actor, reason=request.POST.get("reason", "").strip())
