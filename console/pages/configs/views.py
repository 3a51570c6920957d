"""Configs: list, versions, one version, difference, upload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Count, Max
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.policy import can
from agents.models import AgentStatus
from console.lib.problems import Invalid, Missing, Problem, Refused, TooLarge
from console.lib.yaml import DEFAULT_LIMITS
from console.pages.configs import diff_rows
from console.pages.frame.forms import Flag, LineField, LongText, OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from rollouts.actions.upload_config import upload_config
from rollouts.configs.diff import MAX_LINES, diff, patch
from rollouts.configs.findings import worded
from rollouts.engine.states import ACTIVE_STATES
from rollouts.models import Config, ConfigVersion, Rollout

VERSIONS = 30


class _VersionAsked(PageForm):
    raw = Flag()


class _DiffAsked(PageForm):
    patch = Flag()
    view = OneOf(("unified", "split", "whole"), initial="unified")


class UploadForm(PageForm):
    """A version: a file, or the text that was pasted."""

    name = LineField()
    text = LongText()
    message = LineField()
    file = forms.FileField(required=False, allow_empty_file=True)


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version with how many agents run it now."""

    version: ConfigVersion
    agents: int
    note: str


@dataclass(frozen=True, slots=True)
class Checks:
    """What the checks said about a version: what is to be read, and what passed."""

    open: list[dict[str, Any]]
    passed: list[dict[str, Any]]

    @classmethod
    def of(cls, version: ConfigVersion) -> Checks:
        """Sort the stored findings, errors first."""
        found = [worded(check) for check in version.checks if isinstance(check, dict)]
        left = [check for check in found if check.get("level") != "ok"]
        left.sort(key=lambda check: check.get("level") != "error")
        return cls(left, [check for check in found if check.get("level") == "ok"])

    @property
    def by_line(self) -> dict[int, dict[str, Any]]:
        """The findings that concern a line, for the note under it."""
        return {check["line"]: check for check in self.open if check.get("line")}


def running_counts() -> dict[str, int]:
    """Return how many agents run each hash; one pass over the status rows."""
    found = AgentStatus.objects.exclude(running_hash="").values_list("running_hash")
    return dict(found.annotate(n=Count("pk")))


def text_of(version: ConfigVersion) -> str:
    """Return a version's text. Bytes that are no UTF-8 are shown as replacement characters."""
    return bytes(version.body_ref.body).decode("utf-8", "replace")


def _config(name: str) -> Config:
    config = Config.objects.filter(name=name).first()
    if config is None:
        raise Missing("config.missing", name=name)
    return config


def _version(config: Config, number: int) -> ConfigVersion:
    found = config.versions.select_related("body_ref", "author").filter(number=number).first()
    if found is None:
        raise Missing("config.no_version", name=config.name, number=number)
    return found


def _rows(config: Config) -> list[VersionRow]:
    versions = list(config.versions.select_related("author").order_by("-number")[:VERSIONS])
    counts = running_counts()
    most = max((counts.get(v.config_hash, 0) for v in versions), default=0)
    rows = []
    for v in versions:
        number = counts.get(v.config_hash, 0)
        note = _("latest") if v is versions[0] else _("in use") if most and number == most else ""
        rows.append(VersionRow(v, number, note))
    return rows


@require_GET
@needs("configs.view")
def config_list(request: HtmxRequest) -> HttpResponse:
    """List all configs with their newest version and how many agents run one of them."""
    counts = running_counts()
    by_config: dict[int, int] = {}
    pairs = ConfigVersion.objects.filter(body_ref__in=counts).values_list("config_id", "body_ref")
    for config_id, config_hash in pairs:
        by_config[config_id] = by_config.get(config_id, 0) + counts[config_hash]
    active = Rollout.objects.visible_to(request.actor).filter(state__in=ACTIVE_STATES)
    rollouts = {rollout.config_id: rollout for rollout in active}
    configs = Config.objects.annotate(latest=Max("versions__number")).order_by("name")
    rows = [(c, by_config.get(c.pk, 0), rollouts.get(c.pk)) for c in configs]
    context = {
        "rows": rows,
        "may_write": can(request.actor, "configs.write"),
        "topics": ["configs", "fleet", "rollouts"],
        "follows": ["configs-changed", "fleet-changed", "rollouts-changed"],
    }
    return render(request, "configs/list.html", context)


@require_GET
@needs("configs.view")
def detail(request: HtmxRequest, name: str) -> HttpResponse:
    """Show the newest version: the difference to the one before it, or the whole first one."""
    config = _config(name)
    latest = config.versions.order_by("-number").first()
    if latest is None:
        raise Missing("config.no_version_yet", name=name)
    if latest.number == 1:
        return HttpResponseRedirect(reverse("configs:version", args=[name, 1]))
    url = reverse("configs:diff", args=[name, latest.number - 1, latest.number])
    return HttpResponseRedirect(url)


def _common(request: HtmxRequest, config: Config, shown: ConfigVersion) -> dict[str, object]:
    active = Rollout.objects.visible_to(request.actor).active().filter(config=config).first()
    return {
        "config": config,
        "rows": _rows(config),
        "shown": shown,
        "checks": Checks.of(shown),
        "active": active,
        "may_write": can(request.actor, "configs.write"),
        "may_start": can(request.actor, "rollouts.start"),
    }


@require_GET
@needs("configs.view")
def version(request: HtmxRequest, name: str, number: int) -> HttpResponse:
    """Show one version whole, or send its exact bytes with `?raw=1`."""
    config = _config(name)
    shown = _version(config, number)
    if _VersionAsked(request.GET).known()["raw"]:
        body = bytes(shown.body_ref.body)
        headers = {"Content-Disposition": f'attachment; filename="{config.name}-v{number}.yaml"'}
        return HttpResponse(body, content_type="application/yaml", headers=headers)
    notes = Checks.of(shown).by_line
    lines = [(i, line, notes.get(i)) for i, line in enumerate(text_of(shown).splitlines(), 1)]
    context = _common(request, config, shown) | {"lines": lines[:MAX_LINES]}
    return render(request, "configs/version.html", context)


@require_GET
@needs("configs.view")
def compare(request: HtmxRequest, name: str, a: int, b: int) -> HttpResponse:
    """Show the difference between two versions, unified, split, or whole; `?patch=1` to download."""
    config = _config(name)
    old, new = _version(config, a), _version(config, b)
    asked = _DiffAsked(request.GET).known()
    if asked["patch"]:
        text = patch(text_of(old), text_of(new), f"{name} v{a}", f"{name} v{b}")
        headers = {"Content-Disposition": f'attachment; filename="{name}-v{a}-v{b}.patch"'}
        return HttpResponse(text, content_type="text/x-diff; charset=utf-8", headers=headers)
    style = asked["view"]
    found = diff(text_of(old), text_of(new))
    context = _common(request, config, new) | {
        "old": old,
        "diff": found,
        "lines": list(diff_rows.unified(found, fold=style != "whole")) if style != "split" else [],
        "pairs": list(diff_rows.split(found)) if style == "split" else [],
        "style": style,
        "notes": Checks.of(new).by_line,
    }
    return render(request, "configs/diff.html", context)


@require_http_methods(["GET", "POST"])
@needs("configs.write")
def upload(request: HtmxRequest, name: str = "") -> HttpResponse:
    """Upload a version: a file or pasted text. Bytes are kept exactly as they come."""
    if request.method == "POST":
        return _uploaded(request, name)
    text = ""
    if name:
        latest = _config(name).versions.select_related("body_ref").order_by("-number").first()
        text = text_of(latest) if latest else ""
    return _upload_form(request, {"name": name, "text": text, "message": ""}, None)


def _uploaded(request: HtmxRequest, name: str) -> HttpResponse:
    form = UploadForm.sent(request)
    given = form.known()
    file = given["file"]
    body = file.read(DEFAULT_LIMITS.size_bytes + 1) if file else given["text"].encode()
    values = {
        "name": given["name"] or name,
        "text": body.decode("utf-8", "replace"),
        "message": given["message"],
    }
    try:
        form.checked()
        done = upload_config(
            name=values["name"], body=body, by=request.actor, message=values["message"]
        )
    except (Invalid, Refused, TooLarge) as problem:
        return _upload_form(request, values, problem)
    saved = done.version
    url = reverse("configs:detail", args=[saved.config.name])
    if not done.created:
        url = reverse("configs:version", args=[saved.config.name, saved.number])
    return HttpResponseRedirect(url, status=303)


def _upload_form(
    request: HtmxRequest, values: dict[str, str], problem: Problem | None
) -> HttpResponse:
    context = {**values, "problem": problem}
    status = problem.status if problem else 200
    return render(request, "configs/upload.html", context, status=status)
