"""Plans in words: criteria, thresholds and triggers as short sentences. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from console.lib.texts import said
from console.words import numbers, tally, times
from rollouts.analysis.catalogue import title_of
from rollouts.analysis.dry_run import Today
from rollouts.plans.guards import TITLES, default_guards
from rollouts.plans.plan import Criterion, OnNoData, PhaseSpec, Plan, Threshold, Trigger


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase of a plan. `share` says how many it is up to, `grow` how wide it is drawn: its own
    part of all phases in 5 % steps. `gates` are all of its own, `also` those that not every phase has."""

    name: str
    share: str
    grow: int
    observe: str
    is_manual: bool
    gates: list[str]
    also: list[str]
    then: str
    selector: str
    description: str


@dataclass(frozen=True, slots=True)
class PlanTrack:
    """A plan as it is drawn: its phases; the gates that each of them has; what is watched all the
    time, with what is turned off; `counts` is "2 gates and 4 guards", of a phase with most gates."""

    phases: list[PhaseRow]
    gates: list[str]
    floor: str
    guards: list[str]
    counts: str


_ONE_LABEL = re.compile(r"[\w./-]+=([\w./-]+)")
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
    held = _("held for %(t)s") % {"t": times.exact_span(item.for_s)}
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


def track(plan: Plan) -> PlanTrack:
    """Return the plan as it is drawn, each gate said once."""
    gates = [list(map(criterion, phase.success_criteria)) for phase in plan.phases]
    common = [gate for gate in gates[0] if all(gate in own for own in gates)]
    own = own_shares(plan)
    watched = [*map(threshold, plan.thresholds), *map(trigger, plan.rollback.triggers)]
    defaults = sum(choice.enabled for _name, _levels, choice in default_guards(plan))
    return PlanTrack(
        phases=[
            _row(plan, index, gates[index], common, own[index] / sum(own))
            for index in range(len(plan.phases))
        ],
        gates=common,
        floor=", ".join(dict.fromkeys(map(floor, plan.phases))),
        guards=[*watched, *guards(plan)],
        counts=tally.gates_and_guards(max(map(len, gates)), 1 + len(watched) + defaults),
    )


def own_shares(plan: Plan) -> list[float]:
    """Return what each phase adds: up to 30 % after 10 % of the same agents is 20 %."""
    found: list[float] = []
    before: dict[str | None, float] = {}
    for phase in plan.phases:
        found.append(max(0.0, phase.weight - before.get(phase.selector, 0.0)))
        before[phase.selector] = max(phase.weight, before.get(phase.selector, 0.0))
    return found if any(found) else [1.0 for _phase in plan.phases]


def _row(plan: Plan, index: int, gates: list[str], common: list[str], part: float) -> PhaseRow:
    phase = plan.phases[index]
    following = plan.phases[index + 1] if index + 1 < len(plan.phases) else None
    return PhaseRow(
        name=title(phase.name),
        share=_share_of(phase)
        if phase.selector
        else _("up to %(share)s") % {"share": _share_of(phase)},
        grow=max(5, round(part * 20) * 5),
        observe=times.exact_span(phase.duration_s) if phase.duration_s else _("not at all"),
        is_manual=phase.is_manual,
        gates=gates,
        also=[gate for gate in gates if gate not in common],
        then=_then(following),
        selector=phase.selector or "",
        description=phase.description,
    )


def floor(phase: PhaseSpec) -> str:
    """Say how many agents may fail, whatever the criteria say: every phase has this guard."""
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
    """`10, 30, 100 %`; where phases choose their agents themselves, whom:
    `canary → staging → 10 % of prod → prod`."""
    if any(phase.selector for phase in plan.phases):
        return " → ".join(_share_of(phase) for phase in plan.phases)
    return ", ".join(f"{round(100 * p.weight, 2):g}" for p in plan.phases) + " %"


def _share_of(phase: PhaseSpec) -> str:
    """Say up to how many of whom: `30 %`, `staging`, `10 % of prod`."""
    share = numbers.percent(phase.weight)
    if not phase.selector:
        return share
    whom = _whom(phase)
    return (
        whom if phase.weight == 1 else _("%(share)s of %(whom)s") % {"share": share, "whom": whom}
    )


def _whom(phase: PhaseSpec) -> str:
    """Name the agents of a phase: the value of the one label that it asks for, else its own name."""
    asked = _ONE_LABEL.fullmatch(phase.selector or "")
    return asked[1] if asked else phase.name.replace("_", " ")
