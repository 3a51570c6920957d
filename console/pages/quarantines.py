"""Quarantine: hashes that are not offered again, per agent or to nobody, until a person lifts it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.policy import can
from agents.actions.quarantine import lift
from agents.models import Quarantine
from console.lib.problems import Denied, Invalid, Missing, Problem, Refused
from console.pages.configs.names import names_of
from console.pages.frame import keyset
from console.pages.frame.forms import Flag, LineField, Number, PageForm
from console.pages.frame.needs import HtmxRequest, needs


class LiftForm(PageForm):
    """Which quarantine is lifted, and why."""

    id = Number(1, needed=gettext_lazy("Choose a quarantine."))
    reason = LineField()


class _Shown(PageForm):
    all = Flag()


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
    show_all = _Shown(request.GET).known()["all"]
    found_rows = Quarantine.objects.select_related("agent")
    if not show_all:
        found_rows = found_rows.filter(lifted_at=None)
    rows = keyset.newest_first(found_rows, request.GET)
    names = names_of(row.config_hash for row in rows.rows)
    context = {
        "kind": "quarantine",
        "rows": [(row, names[row.config_hash]) for row in rows.rows],
        "page": rows,
        "all": show_all,
        "problem": problem,
        "may_lift": can(request.actor, "quarantine.lift"),
        "topics": ["quarantines", "agents"],
        "follows": [] if problem else ["quarantines-changed", "agents-changed"],
    }
    status = problem.status if problem else 200
    return render(request, "settings/quarantine.html", context, status=status)


def _lift(request: HtmxRequest) -> None:
    given = LiftForm(request.POST).checked()
    lift(quarantine_id=given["id"], by=request.actor, reason=given["reason"])
