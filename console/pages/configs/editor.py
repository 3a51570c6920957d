"""A new version: written in the page or uploaded, checked before it is saved.

The text begins with the version that agents run, not with the newest: what came back is no ground to
build on. Errors are saved only in spite of themselves, by the config's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from accounts.policy import require
from console.lib.problems import FieldError, Invalid, Missing, Problem, Refused, TooLarge
from console.lib.yaml import DEFAULT_LIMITS
from console.pages.configs import diff_rows, marks
from console.pages.configs.checks import Checks
from console.pages.configs.lookup import find_config, find_version, text_of
from console.pages.frame.forms import LineField, LongText, Number, OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from rollouts.actions.files.upload_config import check_body, check_name, upload_config
from rollouts.configs.diff import diff
from rollouts.models import Config, ConfigVersion
from rollouts.standing import in_use, standings


class UploadForm(PageForm):
    """A version: a file, or the text that was pasted. `in_spite` is the name typed again when it is
    saved with errors."""

    name = LineField()
    text = LongText()
    message = LineField()
    in_spite = LineField()
    base = Number(1)
    act = OneOf(("check", "save"), initial="save")
    file = forms.FileField(required=False, allow_empty_file=True)


class _Asked(PageForm):
    base = Number(1)


@dataclass(frozen=True, slots=True)
class Written:
    """What the person sent, and what was found in it; `base` is the version it began with."""

    name: str
    text: str
    message: str
    base: ConfigVersion | None = None
    checks: Checks | None = None
    problem: Problem | None = None

    @property
    def needs_word(self) -> bool:
        """Whether it is saved only in spite of errors."""
        return self.checks is not None and self.checks.errors > 0

    @property
    def changes(self) -> dict[str, Any] | None:
        """The difference to its base, as the diff table is drawn; None without a base."""
        if self.base is None:
            return None
        found = diff(text_of(self.base), self.text)
        return {
            "diff": found,
            "lines": list(diff_rows.unified(found, fold=True)),
            "notes": self.checks.by_line if self.checks else {},
        }


@require_http_methods(["GET", "POST"])
@needs("configs.write")
def upload(request: HtmxRequest, name: str = "") -> HttpResponse:
    """Write or upload a version. `act=check` says what the checks find and saves nothing; bytes of a
    file are kept exactly as they come."""
    if request.method == "POST":
        return _sent(request, name)
    base = _base(name, _Asked(request.GET).known()["base"]) if name else None
    text = text_of(base) if base is not None else ""
    return _form(request, Written(name, text, "", base))


def _base(name: str, number: int | None) -> ConfigVersion | None:
    """Return the version that is asked for, else the one in use, else the newest."""
    config = find_config(name)
    if number is not None:
        return find_version(config, number)
    used = in_use(config)
    newest = config.versions.order_by("-number").values_list("number", flat=True).first()
    number = used.number if used is not None else newest
    return find_version(config, number) if number is not None else None


def _sent(request: HtmxRequest, name: str) -> HttpResponse:
    form = UploadForm.sent(request)
    given = form.known()
    file = given["file"]
    body = file.read(DEFAULT_LIMITS.size_bytes + 1) if file else given["text"].encode()
    known = Config.objects.filter(name=given["name"] or name).first()
    written = Written(
        name=given["name"] or name,
        text=body.decode("utf-8", "replace"),
        message=given["message"],
        base=_base(known.name, given["base"]) if known is not None else None,
    )
    try:
        form.checked()
        checks = _checks(written.name, body, request.actor)
        if given["act"] == "check":
            return _form(request, _with(written, checks=checks))
        if checks.errors and given["in_spite"] != written.name:
            return _form(request, _with(written, checks=checks, problem=_errors(written, checks)))
        done = upload_config(
            name=written.name, body=body, by=request.actor, message=written.message
        )
    except (Invalid, Refused, TooLarge, Missing) as problem:
        return _form(request, _with(written, problem=problem))
    saved = done.version
    url = reverse("configs:detail", args=[saved.config.name])
    if not done.created:
        url = reverse("configs:version", args=[saved.config.name, saved.number])
    return HttpResponseRedirect(url, status=303)


def _with(
    written: Written, *, checks: Checks | None = None, problem: Problem | None = None
) -> Written:
    return Written(written.name, written.text, written.message, written.base, checks, problem)


def _checks(name: str, body: bytes, by: Actor) -> Checks:
    require(by, "configs.write")
    check_name(name, "name")
    return Checks.found(check_body(name, body))


def _errors(written: Written, checks: Checks) -> Invalid:
    """Say that nothing was saved, and what is to be typed to save it all the same."""
    says = _("Nothing was saved: %(what)s. Correct it, or save it in spite of that.")
    field = _("Type %(name)s to save it in spite of its errors.") % {"name": written.name}
    return Invalid(says % {"what": checks.heading}, errors=[FieldError("in_spite", field)])


def _form(request: HtmxRequest, written: Written) -> HttpResponse:
    base = written.base
    standing = standings([base])[base.pk] if base is not None else None
    context = {
        "written": written,
        "name": written.name,
        "text": written.text,
        "message": written.message,
        "problem": written.problem,
        "checks": written.checks,
        "base": base,
        "base_agents": standing.agents if standing else 0,
        "marks": marks.marks(standing) if standing else [],
        "changes": written.changes if written.checks or written.problem else None,
        "shown": None,
    }
    status = written.problem.status if written.problem else 200
    if request.htmx.target == "checked":
        return render(request, "configs/editor/_checked.html", context, status=status)
    return render(request, "configs/upload.html", context, status=status)
