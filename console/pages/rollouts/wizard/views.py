"""A new rollout: the form with its live preview, then the review and the start (ui.md 4.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.policy import can
from console.lib.problems import Denied, Invalid, Problem, Refused, Stale
from console.pages.frame.context import zone_of
from console.pages.frame.forms import (
    MAX_REVISION,
    REASON_MAX,
    Flag,
    LineField,
    NamedField,
    Number,
    OneOf,
    PageForm,
)
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts.lookup import find
from console.pages.rollouts.wizard import form as wizard_form
from console.pages.rollouts.wizard import preview as wizard_preview
from console.pages.rollouts.wizard import review
from console.pages.rollouts.wizard.form import DRAFTED, Given, WizardForm
from rollouts.actions.draft import draft_rollout
from rollouts.actions.edit_draft import edit_draft
from rollouts.actions.start import start as start_rollout
from rollouts.engine.states import RolloutState
from rollouts.models import Rollout


class _Pressed(PageForm):
    """Which button, and the revision of the draft that was seen."""

    act = OneOf(("review", "draft"))
    revision = Number(0, MAX_REVISION)


class StartForm(PageForm):
    """The review of a draft: what was seen, why, and a reason beside each accepted finding."""

    reason = LineField(cut=REASON_MAX)
    revision = Number(0, MAX_REVISION)
    digest = LineField()
    accept = NamedField()

    def clean_accept(self) -> dict[str, str]:
        given = {name: reasons[-1].strip() for name, reasons in self.cleaned_data["accept"].items()}
        return {name: reason[:REASON_MAX] for name, reason in given.items() if reason}


class _Dry(PageForm):
    """`?dry=1` reads the gates on the last hour with the page, for browsers without script."""

    dry = Flag()


def _load(request: HtmxRequest, draft: Rollout | None = None) -> WizardForm:
    zone, now = zone_of(request.user), timezone.now()
    if draft is not None and request.method == "GET":
        given = Given.of_draft(draft, zone)
    else:
        given = Given.read(request.POST if request.method == "POST" else request.GET, zone)
    return wizard_form.load(given, now=now, by=request.actor, draft=draft)


def _context(request: HtmxRequest, form: WizardForm) -> dict[str, Any]:
    verb = "rollouts.start" if form.draft is None else "rollouts.edit"
    return {
        "form": form,
        "preview": wizard_preview.preview_of(form, timezone.now()) if form.can_preview else None,
        "may_start": can(request.actor, verb),
        "zone_label": form.given.zone,
        "has_zone": bool(getattr(request.user, "time_zone", "")),
    }


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def new(request: HtmxRequest) -> HttpResponse:
    """Show the form; `act=review` or `act=draft` saves the draft, anything else only previews."""
    return _form(request, None)


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def edit(request: HtmxRequest, rollout_id: int) -> HttpResponse:
    """The same form filled with a draft; saving changes the draft."""
    draft = find(rollout_id, request.actor)
    if draft.state != RolloutState.DRAFT:
        return HttpResponseRedirect(reverse("rollouts:detail", args=[draft.pk]))
    return _form(request, draft)


def _form(request: HtmxRequest, draft: Rollout | None) -> HttpResponse:
    form = _load(request, draft)
    act = _Pressed(request.POST).known()["act"]
    if not act:
        if request.method == "GET" and not form.given.selector:
            form.errors.pop("q", None)  # an empty new form is not wrong yet
            context = _context(request, form) | {"preview": None}
        else:
            context = _context(request, form)
        return render(request, "rollouts/new.html", context)
    if form.errors:
        return render(
            request, "rollouts/new.html", _context(request, form) | {"sent": True}, status=422
        )
    try:
        rollout = _save(request, form)
    except (Invalid, Refused, Denied, Stale) as problem:
        context = _context(request, form) | {"problem": problem}
        return render(request, "rollouts/new.html", context, status=problem.status)
    if act == "draft":
        messages.success(request, _("Draft saved. Nothing is sent before you start it."))
        return HttpResponseRedirect(reverse("rollouts:detail", args=[rollout.pk]), status=303)
    return HttpResponseRedirect(reverse("rollouts:start", args=[rollout.pk]), status=303)


def _save(request: HtmxRequest, form: WizardForm) -> Rollout:
    given, version = form.given, form.version
    assert version is not None
    drafted: dict[str, Any] = {
        "config": version.config.name,
        "version": version.number,
        "plan": None if given.plan == DRAFTED else given.plan,
        "selector": given.selector,
        "by": request.actor,
        "title": given.title or version.message[:120],
        "spread_label": given.spread,
        "start_at": form.start_at,
        "when_busy": given.when_busy,
        "overrides": form.overrides or None,
    }
    if form.draft is None:
        return draft_rollout(**drafted, seed=given.seed)
    return edit_draft(
        rollout_id=form.draft.pk,
        seen_revision=_Pressed(request.POST).known()["revision"],
        **drafted,
    )


@require_POST
@needs("rollouts.view")
def preview(request: HtmxRequest) -> HttpResponse:
    """Answer the preview alone, with the parts of the form that follow from what was changed."""
    given = Given.read(request.POST, zone_of(request.user))
    changed = given.changed
    if "config" in changed:
        given = replace(given, version="")  # it was a version of the other config
    draft = find(given.draft, request.actor) if given.draft else None
    form = wizard_form.load(given, now=timezone.now(), by=request.actor, draft=draft)
    context = _context(request, form) | {"changed": changed, "is_part": True}
    return render(request, "rollouts/preview/_preview.html", context)


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def start(request: HtmxRequest, rollout_id: int) -> HttpResponse:
    """Review a draft in words and start it; a fleet that changed is shown and asked about again."""
    rollout = find(rollout_id, request.actor)
    if request.method == "GET" and request.htmx.target == "dry-run":
        found = {"dry": review.dry_run(rollout, timezone.now()), "rollout": rollout}
        return render(request, "rollouts/start/_dry_run.html", found)
    if request.method == "GET":
        return _review(request, rollout, None)
    try:
        given = StartForm(request.POST).checked()
        start_rollout(
            rollout_id=rollout.pk,
            by=request.actor,
            reason=given["reason"],
            seen_revision=given["revision"],
            seen_preview=given["digest"] or None,
            accept=given["accept"],
        )
    except (Invalid, Refused, Denied, Stale) as problem:
        return _review(request, find(rollout_id, request.actor), problem)
    messages.success(request, _("%(number)s is started.") % {"number": rollout.number})
    return HttpResponseRedirect(reverse("rollouts:detail", args=[rollout.pk]), status=303)


def _review(request: HtmxRequest, rollout: Rollout, problem: Problem | None) -> HttpResponse:
    if rollout.started_at is not None:
        return HttpResponseRedirect(reverse("rollouts:detail", args=[rollout.pk]))
    view = wizard_preview.of_draft(rollout, timezone.now(), fresh=isinstance(problem, Stale))
    given = StartForm(request.POST).known()
    context = {
        "rollout": rollout,
        "preview": view,
        "problem": problem,
        "may_start": can(request.actor, "rollouts.start"),
        "reason": given["reason"],
        "reason_max": REASON_MAX,
        "accepted": given["accept"],
        "dry": review.dry_run(rollout, timezone.now())
        if _Dry(request.GET).known()["dry"]
        else None,
        **review.of(rollout, view),
    }
    status = problem.status if problem else 200
    return render(request, "rollouts/start.html", context, status=status)
