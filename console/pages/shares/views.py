"""The links of a rollout: who made which, until when; make one, revoke one."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.policy import can
from console.api.links import shared as address_of
from console.lib.problems import Denied, Invalid, Missing, Problem, Refused
from console.pages.frame.forms import LineField, Number, OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts.lookup import find
from rollouts.actions.share import MAX_NOTE, revoke_share, share
from rollouts.models import Rollout, ShareLink

LIVES = {
    "1h": (timedelta(hours=1), gettext_lazy("an hour")),
    "24h": (timedelta(days=1), gettext_lazy("a day")),
    "7d": (timedelta(days=7), gettext_lazy("a week")),
    "30d": (timedelta(days=30), gettext_lazy("30 days")),
}
SHOWN = 100


class ShareForm(PageForm):
    """Make a link, or revoke the one that `id` names."""

    act = OneOf(("revoke",))
    life = OneOf(LIVES, initial="7d")
    note = LineField()
    id = Number(1)


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def page(request: HtmxRequest, rollout_id: int) -> HttpResponse:
    """List the links of a rollout, newest first. A new one is shown once, in the answer that made it."""
    rollout = find(rollout_id, request.actor)
    problem: Problem | None = None
    made = ""
    if request.method == "POST":
        try:
            made = _act(request, rollout)
        except (Denied, Invalid, Missing, Refused) as found:
            problem = found
        else:
            if not made:
                messages.success(request, _("The link is revoked. It opens nothing any more."))
                url = reverse("rollouts:share", args=[rollout.pk])
                return HttpResponseRedirect(url, status=303)
    links = ShareLink.objects.filter(rollout=rollout)[:SHOWN]
    context = {
        "rollout": rollout,
        "links": [(link, _state(link)) for link in links],
        "made": made,
        "problem": problem,
        "asked": ShareForm(request.POST).typed,
        "lives": [(value, label) for value, (_span, label) in LIVES.items()],
        "note_max": MAX_NOTE,
        "may_share": can(request.actor, "rollouts.share", rollout),
    }
    answer = render(
        request, "shares/links.html", context, status=problem.status if problem else 200
    )
    answer["Cache-Control"] = "no-store"
    return answer


def _act(request: HtmxRequest, rollout: Rollout) -> str:
    """Do what was asked; return the address of a new link, "" of none."""
    asked = ShareForm(request.POST).checked()
    if asked["act"] == "revoke":
        if not ShareLink.objects.filter(rollout=rollout, pk=asked["id"] or 0).exists():
            raise Missing("share.missing")
        revoke_share(link_id=asked["id"], by=request.actor)
        return ""
    life = LIVES[asked["life"]][0]
    _link, secret = share(rollout_id=rollout.pk, by=request.actor, life=life, note=asked["note"])
    return address_of(secret)


def _state(link: ShareLink) -> str:
    """`open`, `expired` or `revoked`."""
    if link.revoked_at is not None:
        return "revoked"
    return "open" if link.is_valid(timezone.now()) else "expired"
