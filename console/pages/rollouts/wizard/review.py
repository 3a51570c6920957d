"""What the review of a draft shows beside its preview: changed lines, time, gates on the last hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.lib.texts import said
from console.pages.configs.inline import bodies_of, changed_lines
from console.pages.rollouts.wizard.preview import PreviewView
from console.words import numbers
from console.words import plans as plan_words
from console.words import states as words
from console.words.expected import expected
from rollouts.analysis.dry_run import dry_answers
from rollouts.analysis.last_hour import MOST_AGENTS, WouldBe, on_last_hour
from rollouts.drafts.expected import stretches
from rollouts.models import Rollout
from rollouts.plans.plan import Plan


@dataclass(frozen=True, slots=True)
class DryRow:
    """One gate on the last hour."""

    title: str
    look: words.Look
    value: str
    limit: str
    note: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """All gates that can be answered before anything is sent, and the sentence for them. `queries`
    are the conditions that Prometheus answers."""

    says: str
    rows: list[DryRow]
    queries: list[tuple[str, str]]


def of(rollout: Rollout, preview: PreviewView) -> dict[str, Any]:
    """Return the changed lines and the time that is expected."""
    members = {phase.key: phase.adds for phase in preview.phases}
    parts = stretches(Plan.from_dict(rollout.plan), members, rest=preview.rest)
    return {
        "change": changed_lines(rollout, bodies_of([rollout.previous_version, rollout.version])),
        "expected": expected(parts) if preview.eligible else "",
    }


def dry_run(rollout: Rollout, now: datetime) -> DryRun:
    """Judge the plan's gates on the last hour of the draft's own agents."""
    plan = Plan.from_dict(rollout.plan)
    targets = rollout.targets.order_by("phase__index", "position")
    ids = list(targets.values_list("agent_id", flat=True)[:MOST_AGENTS])
    found = on_last_hour(plan, ids, now)
    queries = [(one.name, plan_words.today(one)) for one in dry_answers(plan, now)]
    is_read = any(one.value is not None for one in found)
    return DryRun(_says(found), [_row(one) for one in found] if is_read else [], queries)


def _says(found: list[WouldBe]) -> str:
    judged = [one for one in found if one.passes is not None]
    bad = [one for one in judged if not one.passes]
    if not judged:
        return _("No gate can be read on the last hour: these agents sent no metrics of their own.")
    if bad:
        says = ngettext(
            "On the last hour, with nothing changed, %(n)d gate would fail a good version.",
            "On the last hour, with nothing changed, %(n)d gates would fail a good version.",
            len(bad),
        )
        return says % {"n": len(bad)}
    says = ngettext(
        "With the last hour's data %(n)d of %(m)d gate would pass; the others have no data.",
        "With the last hour's data %(n)d of %(m)d gates would pass; the others have no data.",
        len(found),
    )
    if len(judged) == len(found):
        says = ngettext(
            "With the last hour's data the gate would pass.",
            "With the last hour's data all %(m)d gates would pass.",
            len(found),
        )
    return says % {"n": len(judged), "m": len(found)}


def _row(one: WouldBe) -> DryRow:
    state = {True: "passing", False: "failing", None: "no_data"}[one.passes]
    if one.passes is None and one.value is not None:
        state = "insufficient"
    return DryRow(
        title=_("%(gate)s (guard)") % {"gate": said(one.title)}
        if one.is_guard
        else said(one.title),
        look=words.look("gate", state),
        value=numbers.amount(one.value, one.unit),
        limit=numbers.amount(one.limit, one.unit),
        note=said(one.note),
    )
