"""The preview of a rollout as the pages draw it: phases with bars, who is left out and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.lib.problems import Problem
from console.lib.texts import spoken
from console.pages.drawing.charts import BarPart, stacked_bar
from console.pages.rollouts.wizard.form import WizardForm
from console.words import plans as plan_words
from console.words import times
from console.words.plain import plain
from rollouts.drafts.preview import preview as count_preview
from rollouts.loop.begin import count_again
from rollouts.models import ConfigVersion, Rollout

SPLIT_SHOWN = 6
OF_VERSION = frozenset({"quarantine", "config"})  # findings that no choice of agents changes
LEVELS = {"ok": ("ok", "ok"), "note": ("warn", "triangle"), "block": ("bad", "octagon-x")}


@dataclass(frozen=True, slots=True)
class PhaseLine:
    """One phase of the preview: how many agents it adds, and where they are. `key` is its name in
    the plan."""

    key: str
    name: str
    adds: int
    note: str
    bar: SafeString
    split: str
    samples: list[str]
    more: int
    then: str
    rounding: str


@dataclass(frozen=True, slots=True)
class ReadinessLine:
    """One line of readiness; `url` leads to the targets that it is about, or to what can change it."""

    name: str
    token: str
    icon: str
    text: str
    url: str = ""
    link: str = ""
    may_accept: bool = False

    @property
    def is_bad(self) -> bool:
        """Whether it stands against the start."""
        return self.icon == LEVELS["block"][1]


@dataclass(frozen=True, slots=True)
class PreviewView:
    """The whole preview. `problem` is set when it could not be counted; then the rest is empty.

    `blocked` is what no reason helps against. `is_covered` says whether the first phase meets every
    kind of agent."""

    counted_at: datetime | None
    matched: int
    eligible: int
    digest: str
    phases: list[PhaseLine]
    rest: int
    waits: list[tuple[int, str]]
    excluded: list[tuple[int, str]]
    left_out: int
    conflicts: list[dict[str, Any]]
    checks: list[ReadinessLine]
    blocked: bool
    coverage: str = ""
    is_covered: bool = True
    problem: Problem | None = None

    @property
    def is_hopeless(self) -> bool:
        """Whether the version itself forbids the start: then nothing else is worth a word."""
        return any(check.name in OF_VERSION and check.is_bad for check in self.checks)

    @property
    def shown_checks(self) -> list[ReadinessLine]:
        """What is said below the counts; of a hopeless version only what forbids it."""
        if not self.is_hopeless:
            return self.checks
        return [c for c in self.checks if c.is_bad and c.name != "targets"]


def _phase(data: Mapping[str, Any], before: int, total: int, *, first: bool) -> PhaseLine:
    adds = int(data.get("new_members", 0))
    manual = bool(data.get("manual"))
    note = _("first") if first else _("more, after approval") if manual else _("more")
    if manual and first:
        note = _("after approval")
    split = sorted((data.get("split") or {}).items(), key=lambda item: -item[1])
    shown = " · ".join(f"{plain(value, limit=40)} {n}" for value, n in split[:SPLIT_SHOWN])
    samples = [plain(name, limit=80) for name in data.get("samples") or []]
    name = plan_words.title(str(data.get("name", "")))
    return PhaseLine(
        key=str(data.get("name", "")),
        name=name,
        adds=adds,
        note=note,
        bar=stacked_bar(
            [BarPart("off", adds)],
            max(total, 1),
            _("%(name)s: %(n)d of %(m)d agents") % {"name": name, "n": adds, "m": total},
            offset=before,
        ),
        split=shown + (" …" if len(split) > SPLIT_SHOWN else ""),
        samples=samples,
        more=max(0, adds - len(samples)),
        rounding=plain(data.get("rounding") or ""),
        then=_("observed for %(span)s, at most %(n)d may fail")
        % {
            "span": times.exact_span(float(data.get("duration_s") or 0)),
            "n": int(data.get("tolerated_failures") or 0),
        },
    )


def check_of(
    data: Mapping[str, Any], rollout: Rollout | None, version: ConfigVersion | None = None
) -> ReadinessLine:
    """Return the line of one finding; only a draft that exists has targets to show. `version` is what
    would be sent, where there is no draft yet."""
    token, icon = LEVELS.get(str(data.get("level", "ok")), LEVELS["note"])
    name, url, link = str(data.get("check", "")), "", ""
    if rollout is not None and data.get("about_agents"):
        url = f"{reverse('rollouts:readiness', args=[rollout.pk])}?{urlencode({'check': name})}"
        link = _("Show which")
    if name == "quarantine":
        of = rollout.version if rollout is not None else version
        url = reverse("settings:quarantine")
        if of is not None:
            url = reverse("settings:quarantined", args=[of.config_hash])
        link = _("Quarantine")
    may_accept = bool(data.get("can_override"))
    return ReadinessLine(name, token, icon, str(data.get("text", "")), url, link, may_accept)


def view_of(
    data: Mapping[str, Any], rollout: Rollout | None = None, version: ConfigVersion | None = None
) -> PreviewView:
    """Return the view of a preview's `to_dict()`: of a draft when there is one, else of a version."""
    data = spoken(data)
    eligible = int(data.get("eligible", 0))
    phases, before = [], 0
    for index, phase in enumerate(data.get("phases") or []):
        phases.append(_phase(phase, before, eligible, first=index == 0))
        before += phases[-1].adds
    waits = [(int(e["count"]), str(e["text"])) for e in data.get("waits") or []]
    excluded = [(int(e["count"]), str(e["text"])) for e in data.get("excluded") or []]
    readiness = [check for check in data.get("readiness") or [] if check.get("text")]
    counted = data.get("counted_at")
    return PreviewView(
        counted_at=parse_datetime(counted) if isinstance(counted, str) else counted,
        matched=int(data.get("matched", 0)),
        eligible=eligible,
        digest=str(data.get("digest", "")),
        phases=phases,
        rest=int(data.get("rest", 0)),
        waits=waits,
        excluded=[e for e in excluded if e[0]],
        left_out=sum(number for number, _reason in excluded),
        conflicts=list(data.get("conflicts") or []),
        checks=[check_of(check, rollout, version) for check in readiness],
        blocked=any(c.get("level") == "block" and not c.get("can_override") for c in readiness),
        coverage=plain((data.get("coverage") or {}).get("text", ""), limit=400),
        is_covered=not (data.get("coverage") or {}).get("missing"),
    )


EMPTY = view_of({})


def preview_of(form: WizardForm, now: datetime) -> PreviewView:
    """Count the preview of what the form says; a refusal becomes part of the view."""
    assert form.version is not None
    assert form.plan is not None
    try:
        counted = count_preview(
            config=form.version.config,
            version=form.version,
            plan=form.plan,
            selector=form.given.selector,
            spread_label=form.given.spread,
            seed=form.given.seed,
            when_busy=form.given.when_busy,
            rollout_id=form.draft.pk if form.draft else None,
            overrides=form.overrides or None,
            now=now,
        )
    except Problem as problem:
        return PreviewView(None, 0, 0, "", [], 0, [], [], 0, [], [], True, problem=problem)
    return view_of(counted.to_dict(), version=form.version)


def of_draft(rollout: Rollout, now: datetime, *, fresh: bool) -> PreviewView:
    """Return the preview kept with a draft, or count it again when the fleet has changed."""
    if not fresh:
        return view_of(rollout.preview or {}, rollout)
    return view_of(count_again(rollout, now).to_dict(), rollout)
