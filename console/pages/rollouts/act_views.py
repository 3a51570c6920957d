"""The acts on a rollout as forms: a dialog with htmx, the same form as a page without.

Each form carries the revision the person saw. If the rollout moved on, the answer is 409 with the
new state and the form kept: nothing was done (ui.md 4.6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from accounts.policy import can
from console.lib.problems import Denied, FieldError, Invalid, Missing, Problem, Refused, Stale
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import dialogs
from console.pages.rollouts.dialogs import REASON_MAX, REASON_MIN, Dialog
from console.pages.rollouts.lookup import find
from rollouts.actions.abort import abort
from rollouts.actions.advance import advance
from rollouts.actions.approve import approve
from rollouts.actions.pause import pause
from rollouts.actions.reject import reject
from rollouts.actions.resume import resume
from rollouts.actions.retry import retry
from rollouts.actions.rollback import rollback_rollout
from rollouts.actions.waive import waive
from rollouts.models import Rollout


@dataclass(frozen=True, slots=True)
class DialogInput:
    """What a person sent with a dialog."""

    reason: str
    revision: int | None
    mode: str
    number: str
    digest: str
    phase: str
    gate: str

    @classmethod
    def read(cls, data: QueryDict) -> DialogInput:
        revision = data.get("revision", "")
        ticket = data.get("ticket", "").strip()
        reason = data.get("reason", "").strip()
        return cls(
            reason=f"{reason} ({ticket})" if ticket else reason,
            revision=int(revision) if revision.isdecimal() and len(revision) < 10 else None,
            mode=data.get("mode", ""),
            number=data.get("number", "").strip().upper(),
            digest=data.get("digest", ""),
            phase=data.get("phase", ""),
            gate=data.get("gate", "")[:200],
        )


def check(sent: DialogInput, dialog: Dialog, rollout: Rollout) -> None:
    """Raise Invalid with what is missing, in the order of the form."""
    wrong = []
    if dialog.reason_required and len(sent.reason) < REASON_MIN:
        text = _("Write at least %(n)d characters: others read it later.") % {"n": REASON_MIN}
        wrong.append(FieldError("reason", text))
    elif len(sent.reason) > REASON_MAX:
        wrong.append(FieldError("reason", _("At most %(n)d characters.") % {"n": REASON_MAX}))
    if dialog.type_number and sent.number != rollout.number:
        text = _("Type %(number)s to confirm.") % {"number": rollout.number}
        wrong.append(FieldError("number", text))
    if wrong:
        raise Invalid(_("Something is missing. Nothing was done."), errors=wrong)


def _abort(rollout: Rollout, by: Actor, sent: DialogInput) -> object:
    if sent.mode == "leave" or rollout.started_at is None:
        return abort(rollout_id=rollout.pk, by=by, reason=sent.reason, seen_revision=sent.revision)
    return _rollback(rollout, by, sent)


def _rollback(rollout: Rollout, by: Actor, sent: DialogInput) -> object:
    return rollback_rollout(
        rollout_id=rollout.pk, by=by, reason=sent.reason, seen_revision=sent.revision
    )


def _decide(act: Callable[..., object]) -> Callable[[Rollout, Actor, DialogInput], object]:
    def run(rollout: Rollout, by: Actor, sent: DialogInput) -> object:
        return act(
            rollout_id=rollout.pk,
            phase=sent.phase,
            by=by,
            reason=sent.reason,
            seen_digest=sent.digest or None,
            seen_revision=sent.revision,
        )

    return run


def _plain(act: Callable[..., object]) -> Callable[[Rollout, Actor, DialogInput], object]:
    def run(rollout: Rollout, by: Actor, sent: DialogInput) -> object:
        return act(rollout_id=rollout.pk, by=by, reason=sent.reason, seen_revision=sent.revision)

    return run


def _waive(rollout: Rollout, by: Actor, sent: DialogInput) -> object:
    return waive(rollout_id=rollout.pk, phase=sent.phase, gate=sent.gate, by=by, reason=sent.reason)


ACTS: dict[str, Callable[[Rollout, Actor, DialogInput], object]] = {
    "pause": _plain(pause),
    "resume": _plain(resume),
    "advance": _plain(advance),
    "approve": _decide(approve),
    "reject": _decide(reject),
    "abort": _abort,
    "rollback": _rollback,
    "waive": _waive,
    "retry": lambda rollout, by, sent: retry(rollout_id=rollout.pk, by=by, reason=sent.reason),
}


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def act(request: HtmxRequest, rollout_id: int, verb: str) -> HttpResponse:
    """Show the dialog of an act, or carry it out and go back to the rollout."""
    rollout = find(rollout_id, request.actor)
    if request.method == "GET":
        return _show(request, rollout, verb, None, None)
    sent = DialogInput.read(request.POST)
    try:
        check(sent, _dialog(request, rollout, verb), rollout)
        result = ACTS[verb](rollout, request.actor, sent)
    except (Invalid, Stale, Refused, Denied, Missing) as problem:
        # Read again: the page must show the state that refused, not the one that was seen.
        return _show(request, find(rollout_id, request.actor), verb, sent, problem)
    messages.success(request, _dialog(request, rollout, verb).done)
    target = result if isinstance(result, Rollout) and verb == "retry" else rollout
    url = request.POST.get("back") or reverse("rollouts:detail", args=[target.pk])
    if not url.startswith("/") or url.startswith("//"):
        url = reverse("rollouts:detail", args=[target.pk])
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url, status=303)


def _dialog(request: HtmxRequest, rollout: Rollout, verb: str) -> Dialog:
    steps = sorted(rollout.phases.all(), key=lambda phase: phase.index)
    if verb == "waive":
        data = request.POST if request.method == "POST" else request.GET
        return dialogs.waive(rollout, steps, data.get("gate", "")[:200])
    return dialogs.DIALOGS[verb](rollout, steps)


def _show(
    request: HtmxRequest,
    rollout: Rollout,
    verb: str,
    sent: DialogInput | None,
    problem: Problem | None,
) -> HttpResponse:
    """Draw the form: alone for the dialog, in a page otherwise."""
    is_stale = isinstance(problem, Stale)
    context = {
        "rollout": rollout,
        "dialog": _dialog(request, rollout, verb),
        "sent": sent,
        "problem": problem,
        "may": can(request.actor, f"rollouts.{verb}", rollout),
        "errors": {e.path: e.message for e in problem.errors} if problem else {},
        # After a Stale the person has seen the new state, so the form carries the new revision.
        "revision": sent.revision if sent and not is_stale else rollout.revision,
        "back": request.GET.get("back") or request.POST.get("back") or "",
        "reason_min": REASON_MIN,
        "reason_max": REASON_MAX,
    }
    is_part = request.htmx.target == "dialog"
    template = "rollouts/dialog/_dialog.html" if is_part else "rollouts/dialog/act.html"
    return render(request, template, context, status=problem.status if problem else 200)
