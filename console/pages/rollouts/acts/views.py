"""The acts on a rollout as forms: a dialog with htmx, the same form as a page without. See `table.py`.

Each form carries the revision the person saw. If the rollout moved on, the answer is 409 with the
new state and the form kept: nothing was done (ui.md 4.6).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.lib.problems import Denied, Invalid, Missing, Problem, Refused, Stale
from console.pages.frame.forms import (
    MAX_REVISION,
    REASON_MAX,
    REASON_MIN,
    LineField,
    Number,
    PageForm,
)
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts.acts.dialogs import Dialog, Seen
from console.pages.rollouts.acts.table import RolloutAct, act_of
from console.pages.rollouts.lookup import find
from rollouts.models import Rollout


class _Address(PageForm):
    """What a dialog is opened with: the way back, the gate it is about, the revision once seen."""

    back = LineField()
    gate = LineField(cut=200)
    revision = Number(0, MAX_REVISION)


@dataclass(frozen=True, slots=True)
class _Opened:
    """An act with its dialog, made once from the rollout as it was read."""

    rollout: Rollout
    act: RolloutAct
    dialog: Dialog
    back: str
    revision: int | None

    @classmethod
    def read(cls, request: HtmxRequest, rollout_id: int, verb: str) -> _Opened:
        rollout = find(rollout_id, request.actor)
        sent, address = _Address.sent(request).known(), _Address(request.GET).known()
        act = act_of(verb, rollout)
        dialog = act.words(Seen.of(rollout, sent["gate"]))
        return cls(rollout, act, dialog, address["back"] or sent["back"], sent["revision"])


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def act(request: HtmxRequest, rollout_id: int, verb: str) -> HttpResponse:
    """Show the dialog of an act, or carry it out and go back to the rollout."""
    opened = _Opened.read(request, rollout_id, verb)
    if request.method == "GET":
        return _show(request, opened, None)
    rollout, chosen = opened.rollout, opened.act
    form = chosen.fields(request.POST, dialog=opened.dialog, rollout=rollout)
    try:
        given = form.given()
    except Invalid as problem:
        return _show(request, opened, problem)
    try:
        result = chosen.run(rollout, request.actor, given)
    except (Invalid, Stale, Refused, Denied, Missing) as problem:
        # Read again: the page must show the state that refused, not the one that was seen.
        return _show(request, _Opened.read(request, rollout_id, verb), problem)
    messages.success(request, opened.dialog.done)
    return _go(request, opened.back, result if isinstance(result, Rollout) else rollout)


def _go(request: HtmxRequest, back: str, rollout: Rollout) -> HttpResponse:
    """Go where the person came from, if that is a page of ours, else to the rollout: the new one
    where the act made one."""
    is_local = back.startswith("/") and not back.startswith("//")
    url = back if is_local else reverse("rollouts:detail", args=[rollout.pk])
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url, status=303)


def _show(request: HtmxRequest, opened: _Opened, problem: Problem | None) -> HttpResponse:
    """Draw the form: alone for the dialog, in a page otherwise."""
    # After a Stale the person has seen the new state, so the form carries the new revision.
    seen = None if isinstance(problem, Stale) else opened.revision
    context = {
        "rollout": opened.rollout,
        "act": opened.act,
        "dialog": opened.dialog,
        "sent": request.POST,
        "problem": problem,
        "may": opened.act.may(request.actor, opened.rollout),
        "errors": {e.path: e.message for e in problem.errors} if problem else {},
        "revision": opened.rollout.revision if seen is None else seen,
        "back": opened.back,
        "reason_min": REASON_MIN,
        "reason_max": REASON_MAX,
    }
    is_part = request.htmx.target == "dialog"
    template = "rollouts/dialog/_dialog.html" if is_part else "rollouts/dialog/act.html"
    return render(request, template, context, status=problem.status if problem else 200)
