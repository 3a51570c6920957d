"""Plan files to plans (spec section 3). Every wrong key is named with file, line and what is right.

Pure. `parse_plan` reads a file's text, `plan_from_data` what a JSON body carried.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from agents.selectors.errors import SelectorError
from agents.selectors.grammar import parse_any, to_text
from console.lib.durations import format_share, parse_share, shown
from console.lib.fields import Fields, documents_of, in_data, in_document, raise_if_any
from console.lib.problems import FieldError, Invalid
from console.lib.texts import text as say
from rollouts.plans.gates import Defaults, criteria_of, defaults_of, promql_of, thresholds_of
from rollouts.plans.guards import choices_of
from rollouts.plans.plan import (
    Health,
    OnNoData,
    Pace,
    PhaseSpec,
    Plan,
    RollbackMethod,
    RollbackRules,
    Strategy,
    Trigger,
    TriggerAction,
)
from rollouts.promql import read as promql

MAX_PHASES = 50
MAX_NAME = 100
_UNREAD = 0.0  # the weight of a phase whose weight was refused
PACE_KEYS = (
    "min_agents",
    "min_samples",
    "on_no_data",
    "apply_timeout",
    "health_grace",
    "quorum",
    "tolerated_failures",
    "lost_after",
    "max_in_flight",
)
PLAN_KEYS = (
    "name",
    "description",
    "phases",
    "thresholds",
    "rollback",
    *PACE_KEYS,
    "bake",
    "promote_rest",
    "offline",
    "health",
    "guards",
    "spread",
    "compare",
    "source",
)
PHASE_KEYS = (
    "name",
    "description",
    "selector",
    "weight",
    "duration",
    "auto_advance",
    "success_criteria",
    *PACE_KEYS,
)


def parse_plan(text: bytes | str, *, name: str = "", file: str = "plan.yaml") -> Plan:
    """Read one plan file. `name` counts when the file itself names none. Raises Invalid."""
    documents = documents_of(text, file)
    if len(documents) != 1:
        says = say("plan.not_one", found=len(documents))
        errors = [FieldError(file, says)]
        raise Invalid("field.only", errors=errors, path=file, what=says)
    errors = []
    fields = Fields(documents[0].data, in_document(documents[0], file), errors)
    plan = read_plan(fields, name)
    raise_if_any(errors)
    return plan


def parse_thresholds(text: bytes | str, *, file: str = "plan.yaml") -> Plan:
    """Read a plan, or a plan's thresholds and triggers alone: then it has no phases. Raises Invalid."""
    documents = documents_of(text, file)
    if len(documents) == 1 and isinstance(documents[0].data, dict):
        errors: list[FieldError] = []
        fields = Fields(documents[0].data, in_document(documents[0], file), errors)
        if not fields.has("phases"):
            plan = read_plan(fields, "", needs_phases=False)
            if not errors and not plan.thresholds and not plan.rollback.triggers:
                fields.wrong(None, say("plan.nothing_to_test"))
            raise_if_any(errors)
            return plan
    return parse_plan(text, file=file)


def plan_from_data(data: object, *, name: str = "") -> Plan:
    """Read a plan from plain data. Raises Invalid with paths such as `phases[0].weight`."""
    errors: list[FieldError] = []
    plan = read_plan(Fields(data, in_data, errors), name)
    raise_if_any(errors)
    return plan


def read_plan(fields: Fields, name: str, *, needs_phases: bool = True) -> Plan:
    """Read a plan; errors are noted in `fields` and the result then means nothing."""
    fields.known(*PLAN_KEYS)
    defaults = defaults_of(fields)
    spread = fields.text("spread", max_length=253)
    pace = pace_of(fields, Pace(spread=spread))
    base = Plan(name, ())
    return Plan(
        name=fields.text("name", name, MAX_NAME) or name,
        description=fields.text("description"),
        phases=_phases(fields, pace, defaults) if needs_phases else (),
        thresholds=thresholds_of(fields, defaults),
        rollback=_rollback(fields),
        pace=pace,
        bake_s=fields.seconds("bake", base.bake_s),
        promote_rest=fields.flag("promote_rest", base.promote_rest),
        offline_exclude_after_s=_offline(fields, base),
        guards=choices_of(fields),
        health=fields.choice("health", Health, base.health),
    )


def pace_of(fields: Fields, base: Pace) -> Pace:
    """Read what a mapping says about pace; the rest is as in `base`."""
    return Pace(
        min_agents=fields.whole("min_agents", base.min_agents, least=1),
        min_samples=fields.whole("min_samples", base.min_samples, least=1, most=10_000),
        on_no_data=fields.choice("on_no_data", OnNoData, base.on_no_data),
        apply_timeout_s=fields.seconds("apply_timeout", base.apply_timeout_s, least=1),
        health_grace_s=fields.seconds("health_grace", base.health_grace_s),
        quorum=fields.share("quorum", base.quorum),
        tolerated_failures=fields.read("tolerated_failures", parse_share, base.tolerated_failures),
        lost_after_s=fields.seconds("lost_after", base.lost_after_s, least=1),
        max_in_flight=fields.whole("max_in_flight", base.max_in_flight, least=1),
        spread=base.spread,
    )


def _phases(fields: Fields, pace: Pace, defaults: Defaults) -> tuple[PhaseSpec, ...]:
    if not fields.required("phases"):
        return ()
    read = [(child, _phase(child, pace, defaults)) for child in fields.children("phases")]
    phases = [phase for _, phase in read]
    if not read and isinstance(fields.data["phases"], list):
        fields.wrong("phases", say("plan.no_phases"))
    if len(read) > MAX_PHASES:
        fields.wrong("phases", say("plan.too_many_phases", found=len(read), most=MAX_PHASES))
    seen: set[str] = set()
    for child, phase in read:
        if phase.name in seen and (child.has("name") or phase.weight > _UNREAD):
            child.wrong(
                "name" if child.has("name") else None,
                say("plan.phase_named_twice", name=phase.name),
            )
        seen.add(phase.name)
    _check_weights(read)
    return tuple(phases)


def _phase(fields: Fields, pace: Pace, defaults: Defaults) -> PhaseSpec:
    fields.known(*PHASE_KEYS)
    fields.required("weight")
    fields.required("duration")
    weight = fields.share("weight", _UNREAD)
    name = fields.text("name", max_length=MAX_NAME).strip()
    if fields.has("name") and not name:
        fields.wrong("name", say("plan.empty_phase_name"))
    return PhaseSpec(
        name=name or format_share(weight),
        weight=weight,
        duration_s=fields.seconds("duration", 1.0, least=1),
        description=fields.text("description"),
        selector=selector_text(fields, "selector"),
        auto_advance=fields.flag("auto_advance", True),
        success_criteria=criteria_of(fields, defaults),
        pace=pace_of(fields, pace),
    )


def selector_text(fields: Fields, key: str) -> str | None:
    """Read a selector in either form and return its canonical text; None when not given."""
    if not fields.has(key):
        return None
    try:
        return to_text(parse_any(fields.written()[key]))
    except SelectorError as error:
        if error.position is not None:
            at = error.position + 1
            read = shown(error.text)
            fields.wrong(
                key, say("plan.wrong_selector_at", key=key, read=read, at=at, what=error.says)
            )
        else:
            path = (*fields.path, key, *error.path)
            where = fields.where(path, not error.path)
            fields.errors.append(FieldError(where, say("field.only", path=key, what=error.says)))
        return None


def _check_weights(read: Iterable[tuple[Fields, PhaseSpec]]) -> None:
    """Weights are cumulative (spec section 4): on one selector they cannot shrink."""
    by_selector: dict[str | None, list[tuple[Fields, PhaseSpec]]] = {}
    for child, phase in read:
        by_selector.setdefault(phase.selector, []).append((child, phase))
    for group in by_selector.values():
        for (_, before), (child, phase) in pairwise(group):
            if _UNREAD < phase.weight < before.weight:
                weight, had = format_share(phase.weight), format_share(before.weight)
                child.wrong(
                    "weight", say("plan.shrinks", weight=weight, before=before.name, had=had)
                )


def _rollback(fields: Fields) -> RollbackRules:
    rollback = fields.child("rollback")
    rollback.known("enabled", "triggers", "strategy")
    strategy = rollback.child("strategy")
    strategy.known("method", "preserve_history", "max_rollback_depth")
    base = RollbackRules()
    preserve_history = strategy.flag("preserve_history", base.strategy.preserve_history)
    if not preserve_history:
        strategy.wrong("preserve_history", say("plan.history_is_kept"))
    return RollbackRules(
        enabled=rollback.flag("enabled", base.enabled),
        triggers=_triggers(rollback),
        strategy=Strategy(
            method=strategy.choice("method", RollbackMethod, base.strategy.method),
            preserve_history=preserve_history,
            max_rollback_depth=strategy.whole(
                "max_rollback_depth", base.strategy.max_rollback_depth, least=1, most=100
            ),
        ),
    )


def _triggers(rollback: Fields) -> tuple[Trigger, ...]:
    found: dict[str, Trigger] = {}
    for fields in rollback.children("triggers"):
        fields.known("name", "condition", "for", "action", "dry_run")
        fields.required("name")
        fields.required("condition")
        name = fields.text("name", max_length=MAX_NAME).strip()
        condition = promql_of(fields, "condition", promql.condition)
        for key, value in (("name", name), ("condition", condition)):
            if fields.has(key) and not value:
                fields.wrong(key, say("field.empty", key=key))
        if name in found:
            fields.wrong("name", say("plan.trigger_named_twice", name=name))
        found[name] = Trigger(
            name=name,
            condition=condition,
            for_s=fields.seconds("for", 0.0),
            action=fields.choice("action", TriggerAction, TriggerAction.ROLLBACK),
            dry_run=fields.flag("dry_run", False),
        )
    return tuple(found.values())


def _offline(fields: Fields, base: Plan) -> float | None:
    offline = fields.child("offline")
    offline.known("exclude_after")
    if offline.data.get("exclude_after") == "never":
        return None
    if not offline.has("exclude_after"):
        return base.offline_exclude_after_s
    return offline.seconds("exclude_after", 0.0)
