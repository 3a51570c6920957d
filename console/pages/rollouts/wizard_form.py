"""The form of a new rollout: what was given, what can be chosen, what is wrong. No writes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from django.http import QueryDict
from django.utils.translation import gettext as _

from agents.selectors.grammar import SelectorError, parse
from console.lib.local_time import BadTime, moment
from console.words import plans as plan_words
from console.words.plans import PhaseRow
from rollouts.models import Config, ConfigVersion
from rollouts.models import Plan as PlanRow
from rollouts.plans.plan import Plan

VERSIONS = 50
ON_FAIL = ("rollback", "pause")
ON_NO_DATA = ("hold", "fail", "pass")
WHEN_BUSY = ("refuse", "queue", "supersede")
DEFAULT_PLAN = "standard"


@dataclass(frozen=True, slots=True)
class Given:
    """What the person wrote, as text; nothing typed is ever lost."""

    config: str
    version: str
    title: str
    selector: str
    plan: str
    spread: str
    max_in_flight: str
    on_fail: str
    on_no_data: str
    when_busy: str
    start: str
    start_at: str
    seed: str

    @classmethod
    def read(cls, data: QueryDict) -> Given:
        """Read a query or a sent form; a new draft gets its seed here, so preview = execution."""

        def text(name: str, default: str = "") -> str:
            return data.get(name, default).strip()

        def one_of(name: str, allowed: Sequence[str]) -> str:
            return text(name) if text(name) in allowed else ""

        seed = text("seed")
        is_seed = len(seed) == 32 and all(c in "0123456789abcdef" for c in seed)
        return cls(
            config=text("config"),
            version=text("version"),
            title=text("title")[:120],
            selector=text("q"),
            plan=text("plan", DEFAULT_PLAN),
            spread=text("spread")[:100],
            max_in_flight=text("max_in_flight"),
            on_fail=one_of("on_fail", ON_FAIL),
            on_no_data=one_of("on_no_data", ON_NO_DATA),
            when_busy=one_of("when_busy", WHEN_BUSY) or "refuse",
            start="at" if text("start") == "at" else "now",
            start_at=text("start_at"),
            seed=seed if is_seed else secrets.token_hex(16),
        )


@dataclass(slots=True)
class WizardForm:
    """The given values against what exists. `errors` is by field, in the order of the page."""

    given: Given
    configs: list[Config]
    versions: list[ConfigVersion]
    version: ConfigVersion | None
    before: ConfigVersion | None
    plans: list[tuple[str, str]]
    plan: Plan | None
    phases: list[PhaseRow]
    guards: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    caret: str = ""

    @property
    def can_preview(self) -> bool:
        """Whether everything the preview needs can be read."""
        needed = {"config", "version", "q", "plan", "max_in_flight"}
        return not needed & self.errors.keys()

    @property
    def overrides(self) -> dict[str, object]:
        """What this rollout does otherwise than its plan; only what the person changed."""
        assert self.plan is not None
        found: dict[str, object] = {}
        if self.given.max_in_flight:
            found["max_in_flight"] = int(self.given.max_in_flight)
        if self.given.on_no_data:
            found["on_no_data"] = self.given.on_no_data
        if self.given.on_fail:
            found["rollback"] = {"enabled": self.given.on_fail == "rollback"}
        return found

    def start_at(self, zone: tzinfo) -> datetime | None:
        """Return the start the person chose, in their zone; None is "when I press start"."""
        if self.given.start != "at" or "start_at" in self.errors:
            return None
        return moment(self.given.start_at, zone)


def changed(given: Given, data: QueryDict) -> set[str]:
    """Return which choices differ from what the page shows of them (`shown_config` and so on): not
    which field changed last, because a later change takes the place of a preview under way.
    """
    chosen = {"config": given.config, "version": given.version, "plan": given.plan}
    return {
        name
        for name, value in chosen.items()
        if f"shown_{name}" in data and data[f"shown_{name}"] != value
    }


def load(given: Given, *, zone: tzinfo, now: datetime) -> WizardForm:
    """Look up what was given; four queries."""
    configs = list(Config.objects.order_by("name"))
    config = next((c for c in configs if c.name == given.config), None)
    if config is None and len(configs) == 1 and not given.config:
        config = configs[0]
    versions: list[ConfigVersion] = []
    if config is not None:
        versions = list(config.versions.order_by("-number").select_related("config")[:VERSIONS])
    version = next((v for v in versions if str(v.number) == given.version), None)
    if version is None and versions and not given.version:
        version = versions[0]
    plans = {row.name: Plan.from_dict(row.parsed) for row in PlanRow.objects.order_by("name")}
    plan = plans.get(given.plan)
    form = WizardForm(
        given=given,
        configs=configs,
        versions=versions,
        version=version,
        before=next((v for v in versions if version and v.number < version.number), None),
        plans=[(name, plan_words.summary(p)) for name, p in plans.items()],
        plan=plan,
        phases=plan_words.phase_rows(plan) if plan else [],
        guards=plan_words.guards(plan) if plan else [],
    )
    _check(form, zone, now)
    return form


def _check(form: WizardForm, zone: tzinfo, now: datetime) -> None:
    """Fill `errors`; each says how it is put right."""
    given, errors = form.given, form.errors
    if not form.versions:
        errors["config"] = _("Choose a config.") if form.configs else _("Upload a config first.")
    elif form.version is None:
        errors["version"] = _("Choose one of its versions.")
    if not given.selector:
        errors["q"] = _("Say which agents are meant; write * for every agent.")
    else:
        try:
            parse(given.selector)
        except SelectorError as wrong:
            errors["q"], form.caret = wrong.detail, wrong.caret
    if form.plan is None:
        errors["plan"] = _("There is no plan %(name)s.") % {"name": given.plan}
    if given.max_in_flight and not (
        given.max_in_flight.isdecimal() and 0 < int(given.max_in_flight[:7]) <= 100_000
    ):
        errors["max_in_flight"] = _("Write a whole number from 1 to 100,000, or leave it empty.")
    if given.start == "at":
        _check_start(form, zone, now)


def _check_start(form: WizardForm, zone: tzinfo, now: datetime) -> None:
    try:
        at = moment(form.given.start_at, zone)
    except BadTime as bad:
        form.errors["start_at"] = (
            f"{bad}." if form.given.start_at else _("Choose a day and a time.")
        )
        return
    if at <= now:
        form.errors["start_at"] = _("This time has passed; choose a later one, or start now.")
