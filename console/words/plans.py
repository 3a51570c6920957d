"""Plans in words: criteria, thresholds and triggers as short sentences. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from console.lib.texts import said
from console.words import numbers, times
from rollouts.analysis.catalogue import title_of
from rollouts.analysis.dry_run import Today
from rollouts.plans.guards import TITLES, default_guards
from rollouts.plans.plan import Criterion, OnNoData, PhaseSpec, Plan, Threshold, Trigger


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase of a plan, as the tables show it."""

    name: str
    weight: float
    observe: str
    gates: list[str]
    then: str
    selector: str
    description: str


_SIGNS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}


def title(name: str) -> str:
    """A phase name with a capital and spaces."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def criterion(item: Criterion) -> str:
    """`Failure rate < 0.1 %`."""
    sign = _SIGNS.get(item.operator, item.operator)
    return f"{title_of(item.metric)} {sign} {numbers.amount(item.threshold, item.unit)}"


def threshold(item: Threshold) -> str:
    """`CPU increase: warns at 5 %, acts at 10 %`."""
    return f"{title_of(item.metric)}: {_levels(item)}"


def _levels(item: Threshold) -> str:
    parts = []
    if item.warning is not None:
        parts.append(_("warns at %(v)s") % {"v": numbers.amount(item.warning, item.unit)})
    if item.critical is not None:
        parts.append(_("acts at %(v)s") % {"v": numbers.amount(item.critical, item.unit)})
    return ", ".join(parts)


def trigger(item: Trigger) -> str:
    """`Export failures, held for 5 min: rollback`."""
    held = _("held for %(t)s") % {"t": times.span(item.for_s)}
    return f"{title_of(item.name)}, {held}: {item.action}"


def guards(plan: Plan) -> list[str]:
    """`Export failures: warns at 5 %, acts at 20 %, where there is data`; those turned off with why."""
    found = []
    for name, levels, choice in default_guards(plan):
        if not choice.enabled:
            text = _("%(guard)s: turned off (%(why)s)")
            found.append(text % {"guard": TITLES[name], "why": choice.reason})
            continue
        text = _("%(levels)s, where there is data")
        found.append(f"{TITLES[name]}: {text % {'levels': _levels(levels)}}")
    return found


def phase_rows(plan: Plan) -> list[PhaseRow]:
    """Return the phases with what comes after each of them."""
    rows = []
    for index, phase in enumerate(plan.phases):
        following = plan.phases[index + 1] if index + 1 < len(plan.phases) else None
        rows.append(
            PhaseRow(
                name=title(phase.name),
                weight=phase.weight,
                observe=times.span(phase.duration_s) if phase.duration_s else _("not at all"),
                gates=[*map(criterion, phase.success_criteria), floor(phase)],
                then=_then(following),
                selector=phase.selector or "",
                description=phase.description,
            )
        )
    return rows


def floor(phase: PhaseSpec) -> str:
    """Say how many agents may fail, whatever the criteria say: every phase has this gate."""
    share = numbers.percent(phase.pace.tolerated_failures)
    return _("failed agents ≤ %(share)s") % {"share": share}


def _then(following: PhaseSpec | None) -> str:
    if following is None:
        return _("finish")
    return _("ask for approval") if following.is_manual else _("continue")


def today(answer: Today) -> str:
    """`Today: 120 of your agents, 0 strangers, no breach.`"""
    if answer.trouble:
        return _("Not answered: %(why)s.") % {"why": said(answer.trouble).rstrip(".")}
    parts = [
        _("Today: %(n)s of your agents, %(s)s strangers")
        % {"n": f"{answer.agents:,}", "s": f"{answer.strangers:,}"}
    ]
    if answer.is_whole:
        parts.append(_("it names no agent and speaks for the rollout as a whole"))
    if answer.missing:
        parts.append(_("nothing has %(m)s") % {"m": ", ".join(answer.missing)})
    if answer.breached is not None:
        parts.append(_breach(answer))
    return ", ".join(parts) + (f" ({answer.note})." if answer.note else ".")


def _breach(answer: Today) -> str:
    if not answer.breached:
        return _("no breach")
    if answer.is_whole:
        return _("it is true now")
    return _("true for %(n)s of them") % {"n": f"{answer.breached:,}"}


def on_fail(plan: Plan) -> str:
    """What a plan does on a failed gate."""
    return _("roll back") if plan.rollback.enabled else _("pause and ask")


def on_no_data(plan: Plan) -> str:
    """What a plan does where a gate has no data; its phases may differ."""
    words = {
        OnNoData.HOLD: _("hold and ask"),
        OnNoData.FAIL: _("counts as failed"),
        OnNoData.PASS: _("counts as passed"),
    }
    return ", ".join(dict.fromkeys(words[phase.pace.on_no_data] for phase in plan.phases))


def summary(plan: Plan) -> str:
    """`10, 30, 100 %`; where phases choose their agents themselves, their names:
    `canary → staging → prod 10 % → prod`."""
    if any(phase.selector for phase in plan.phases):
        return " → ".join(_share_of(phase) for phase in plan.phases)
    return ", ".join(f"{round(100 * p.weight, 2):g}" for p in plan.phases) + " %"


def _share_of(phase: PhaseSpec) -> str:
    name = phase.name.replace("_", " ")
    return name if phase.weight == 1 else f"{name} {numbers.percent(phase.weight)}"
