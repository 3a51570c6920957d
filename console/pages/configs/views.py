"""Configs: versions, one version, difference. The list is in `listing`, the editor in `editor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.policy import can
from agents.models import SignedVersion
from console.lib.problems import Missing
from console.pages.configs import diff_rows, marks
from console.pages.configs.checks import Checks
from console.pages.configs.lookup import find_config, find_version, text_of
from console.pages.frame.forms import Flag, OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from rollouts.configs.diff import MAX_LINES, diff, patch
from rollouts.models import Config, ConfigVersion, Rollout
from rollouts.standing import Standing, in_use, standings

VERSIONS = 30


class _VersionAsked(PageForm):
    raw = Flag()


class _DiffAsked(PageForm):
    patch = Flag()
    view = OneOf(("unified", "split", "whole"), initial="unified")


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version with how many agents run it now, and what is known against it."""

    version: ConfigVersion
    agents: int
    note: str
    marks: list[marks.KnownBad]


def _rows(versions: list[ConfigVersion], found: Mapping[int, Standing]) -> list[VersionRow]:
    most = max((standing.agents for standing in found.values()), default=0)
    rows = []
    for v in versions:
        standing = found[v.pk]
        note = _("latest") if v is versions[0] else ""
        if most and standing.agents == most:
            note = _("latest, in use") if v is versions[0] else _("in use")
        rows.append(VersionRow(v, standing.agents, note, marks.marks(standing)))
    return rows


@require_GET
@needs("configs.view")
def detail(request: HtmxRequest, name: str) -> HttpResponse:
    """Show the newest version: its difference to what runs, else to the one before it, or the whole
    first one."""
    config = find_config(name)
    latest = config.versions.order_by("-number").first()
    if latest is None:
        raise Missing("config.no_version_yet", name=name)
    if latest.number == 1:
        return HttpResponseRedirect(reverse("configs:version", args=[name, 1]))
    used = in_use(config)
    before = used.number if used is not None and used != latest else latest.number - 1
    url = reverse("configs:diff", args=[name, before, latest.number])
    return HttpResponseRedirect(url)


def _common(request: HtmxRequest, config: Config, shown: ConfigVersion) -> dict[str, object]:
    rollouts = Rollout.objects.visible_to(request.actor).select_related("version")
    active = rollouts.active().filter(config=config).first()
    versions = list(config.versions.select_related("author").order_by("-number")[:VERSIONS])
    known = versions if shown in versions else [*versions, shown]
    found = standings(known)
    shown.config = config
    return {
        "config": config,
        "rows": _rows(versions, found),
        "shown": shown,
        "marks": marks.marks(found[shown.pk]),
        "objection": marks.objection(shown, found[shown.pk]),
        "checks": Checks.of(shown),
        "signature": _signature(shown),
        "active": active,
        "may_write": can(request.actor, "configs.write"),
        "may_start": can(request.actor, "rollouts.start"),
    }


def _signature(shown: ConfigVersion) -> SignedVersion | None:
    rows = SignedVersion.objects.filter(config_name=shown.config.name, version=shown.number)
    return rows.select_related("key").first()


@require_GET
@needs("configs.view")
def version(request: HtmxRequest, name: str, number: int) -> HttpResponse:
    """Show one version whole, or send its exact bytes with `?raw=1`."""
    config = find_config(name)
    shown = find_version(config, number)
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
    config = find_config(name)
    old, new = find_version(config, a), find_version(config, b)
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
