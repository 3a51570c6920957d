"""The form of a new rollout: what was given, what can be chosen, what is wrong. No writes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from accounts.actor import Actor
from agents.models import Agent
from agents.selectors.grammar import SelectorError, parse
from console.lib.local_time import BadTime, zone_named
from console.pages.configs import marks
from console.pages.frame.forms import (
    LineField,
    Moment,
    Number,
    OneOf,
    PageForm,
    Parsed,
    SelectorText,
)
from console.words import plans as plan_words
from console.words.plans import PlanTrack
from rollouts.models import Config, ConfigVersion, Rollout
from rollouts.models import Plan as PlanRow
from rollouts.plans.plan import Plan
from rollouts.selectors import selector_q
from rollouts.standing import GOOD, Standing, newest_good, standings

VERSIONS = 50
ON_FAIL = ("rollback", "pause")
ON_NO_DATA = ("hold", "fail", "pass")
WHEN_BUSY = ("refuse", "queue", "supersede")
DEFAULT_PLAN = "standard"
DRAFTED = "@draft"  # the plan that a draft was made with, whatever became of the saved one
USUAL_LABELS = ("region", "zone", "cluster", "env", "tier", "role", "version")
AGENTS_READ = 2_000  # for the labels to choose from
CHOICES = ("config", "version", "plan")  # the page shows again what follows from these
_SEED = re.compile("[0-9a-f]{32}")


class GivenForm(PageForm):
    """The fields of the page; those called `shown_` are what it showed when it was sent."""

    config = LineField()
    version = LineField()
    title = LineField(cut=120)
    q = SelectorText()
    plan = LineField()
    spread = LineField(cut=100)
    max_in_flight = Number(
        1, 100_000, says=_l("Write a whole number from 1 to 100,000, or leave it empty.")
    )
    on_fail = OneOf(ON_FAIL)
    on_no_data = OneOf(ON_NO_DATA)
    when_busy = OneOf(WHEN_BUSY, initial="refuse")
    start = OneOf(("now", "at"), initial="now")
    seed = Parsed(lambda text: text if _SEED.fullmatch(text) else None)
    zone = LineField(cut=64)
    draft = Number(1)
    shown_config = LineField()
    shown_version = LineField()
    shown_plan = LineField()

    def __init__(self, data: QueryDict, zone: tzinfo) -> None:
        super().__init__(data)
        self.meant = _zone(data.get("zone", ""), zone)
        self.fields["start_at"] = Moment(self.meant)


def _zone(sent: str, own: tzinfo) -> tzinfo:
    """Return the zone of the browser where it said one that exists, else the person's own."""
    try:
        return zone_named(sent) or own
    except BadTime:
        return own


@dataclass(frozen=True, slots=True)
class Given:
    """What the person wrote, as text where it may be wrong: nothing typed is ever lost.

    `wrong` has a sentence for each field that cannot be read; `at` is the start, None when it is wrong.
    """

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
    at: datetime | None = None
    limit: int | None = None
    zone: str = ""
    draft: int | None = None
    changed: frozenset[str] = frozenset()
    wrong: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: QueryDict, zone: tzinfo) -> Given:
        """Read a query or a sent form; a new draft gets its seed here, so preview = execution."""
        form = GivenForm(data, zone)
        known, typed = form.known(), form.typed
        return cls(
            config=known["config"],
            version=known["version"],
            title=known["title"],
            selector=known["q"],
            plan=known["plan"],
            spread=known["spread"],
            max_in_flight=str(typed["max_in_flight"]).strip(),
            on_fail=known["on_fail"],
            on_no_data=known["on_no_data"],
            when_busy=known["when_busy"],
            start=known["start"],
            start_at=str(typed["start_at"]).strip(),
            seed=known["seed"] or secrets.token_hex(16),
            at=known["start_at"],
            limit=known["max_in_flight"],
            zone=str(form.meant),
            draft=known["draft"],
            changed=frozenset(name for name in CHOICES if _differs(form, name, known[name])),
            wrong=form.wrong,
        )

    @classmethod
    def of_draft(cls, rollout: Rollout, zone: tzinfo) -> Given:
        """Return the form as a draft was made."""
        at = rollout.start_at
        return cls(
            config=rollout.config.name,
            version=str(rollout.version.number),
            title="" if rollout.title == str(rollout.version) else rollout.title,
            selector=rollout.selector,
            plan=DRAFTED,
            spread=rollout.spread_label,
            max_in_flight="",
            on_fail="",
            on_no_data="",
            when_busy=rollout.when_busy,
            start="at" if at else "now",
            start_at=at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if at else "",
            seed=rollout.seed,
            at=at,
            zone=str(zone),
            draft=rollout.pk,
        )


def _differs(form: GivenForm, name: str, chosen: str) -> bool:
    """Whether a choice differs from what the page shows of it: not which field changed last,
    because a later change takes the place of a preview under way."""
    shown = form[f"shown_{name}"].data
    return shown is not None and shown != chosen


@dataclass(slots=True)
class WizardForm:
    """The given values against what exists. `errors` is by field, in the order of the page.

    `version` is what would be sent, `before` what most agents of its config run, for the diff."""

    given: Given
    configs: list[Config]
    versions: list[ConfigVersion]
    version: ConfigVersion | None
    before: ConfigVersion | None
    plans: list[tuple[str, str]]
    plan: Plan | None
    track: PlanTrack | None
    standings: Mapping[int, Standing] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    draft: Rollout | None = None
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
            found["max_in_flight"] = self.given.limit
        if self.given.on_no_data:
            found["on_no_data"] = self.given.on_no_data
        if self.given.on_fail:
            found["rollback"] = {"enabled": self.given.on_fail == "rollback"}
        return found

    @property
    def options(self) -> list[tuple[ConfigVersion, str]]:
        """The versions to choose from, each with what is known against it."""
        return [(v, marks.in_menu(self.standings.get(v.pk, GOOD))) for v in self.versions]

    @property
    def objection(self) -> marks.Objection | None:
        """What stands against the chosen version."""
        if self.version is None:
            return None
        return marks.objection(self.version, self.standings.get(self.version.pk, GOOD))

    @property
    def plan_says(self) -> dict[str, str]:
        """What the chosen plan does where this form leaves it to the plan."""
        if self.plan is None:
            return {}
        return {
            "on_fail": plan_words.on_fail(self.plan),
            "on_no_data": plan_words.on_no_data(self.plan),
        }

    @property
    def start_at(self) -> datetime | None:
        """The start the person chose; None is "when I press start"."""
        return self.given.at if self.given.start == "at" else None


def load(given: Given, *, now: datetime, by: Actor, draft: Rollout | None = None) -> WizardForm:
    """Look up what was given; a handful of queries. `draft` is the one that is edited."""
    configs = list(Config.objects.order_by("name"))
    config = next((c for c in configs if c.name == given.config), None)
    if config is None and len(configs) == 1 and not given.config:
        config = configs[0]
    versions: list[ConfigVersion] = []
    if config is not None:
        versions = list(config.versions.order_by("-number").select_related("config")[:VERSIONS])
    found = standings(versions)
    version = next((v for v in versions if str(v.number) == given.version), None)
    if version is None and not given.version:
        version = newest_good(versions, found)
    plans = {row.name: Plan.from_dict(row.parsed) for row in PlanRow.objects.order_by("name")}
    given = given if given.plan else replace(given, plan=_last_plan(by, plans))
    plan = _plan(given.plan, plans, draft)
    form = WizardForm(
        given=given,
        configs=configs,
        versions=versions,
        version=version,
        before=_before(version, versions, found),
        plans=[(name, plan_words.summary(p)) for name, p in plans.items()],
        plan=plan,
        track=plan_words.track(plan) if plan else None,
        standings=found,
        labels=_labels(),
        draft=draft,
    )
    _check(form, now)
    return form


def _before(
    version: ConfigVersion | None,
    versions: Sequence[ConfigVersion],
    found: Mapping[int, Standing],
) -> ConfigVersion | None:
    """Return what the version is compared with: what most agents run of the others, else the one
    before it."""
    others = [v for v in versions if version is not None and v.pk != version.pk]
    used = max(others, key=lambda v: found[v.pk].agents, default=None)
    if used is not None and found[used.pk].agents:
        return used
    return next((v for v in others if version and v.number < version.number), None)


def _plan(name: str, plans: Mapping[str, Plan], draft: Rollout | None) -> Plan | None:
    if name == DRAFTED:
        return Plan.from_dict(draft.plan) if draft is not None else None
    return plans.get(name)


def _last_plan(by: Actor, plans: Mapping[str, Plan]) -> str:
    """Return the plan that this person chose last, if it is still there."""
    mine = Rollout.objects.filter(created_by=by.user, retry_of=None) if by.user else None
    last = mine.values_list("plan_name", flat=True).first() if mine is not None else None
    return last if last is not None and last in plans else DEFAULT_PLAN


def _labels() -> list[str]:
    """Return labels to spread over, the usual ones first."""
    known = Agent.objects.living().order_by("-pk").sample_of_label_keys(AGENTS_READ)
    usual = [key for key in USUAL_LABELS if key in known]
    return usual + sorted(key for key in known if key not in usual)


def _check(form: WizardForm, now: datetime) -> None:
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
            selector_q(parse(given.selector))
        except SelectorError as wrong:
            errors["q"], form.caret = wrong.detail, wrong.caret
    if form.plan is None:
        errors["plan"] = _("There is no plan %(name)s.") % {"name": given.plan}
    if "max_in_flight" in given.wrong:
        errors["max_in_flight"] = given.wrong["max_in_flight"]
    if given.start == "at":
        _check_start(form, now)


def _check_start(form: WizardForm, now: datetime) -> None:
    given = form.given
    if given.at is None:
        form.errors["start_at"] = given.wrong.get("start_at", _("Choose a day and a time."))
    elif given.at <= now:
        form.errors["start_at"] = _("This time has passed; choose a later one, or start now.")
