"""The guards that belong to every plan: a plan may change their limits, or turn one off by name with
a reason, and leaves none out in silence. Pure.

They act wherever their data exist and hold nothing up where they do not: then the phase says what
nobody could see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from console.lib.fields import Fields
from console.lib.quantities import Unit, parse_quantity
from console.lib.texts import text
from rollouts.plans.metrics import Compare, Direction, Source
from rollouts.plans.plan import GuardChoice, Plan, Threshold

TELEMETRY = (Source.PROMETHEUS, Source.OWN_METRICS)
# Two bad readings in a row: one may be a batch that was on its way.
_READINGS = 2
DEFAULTS = {
    "failures": Threshold(
        metric="failure_rate",
        warning=0.05,
        critical=0.2,
        unit=Unit.FRACTION,
        compare=Compare.BEFORE,
        sources=TELEMETRY,
        consecutive=_READINGS,
    ),
    "data_continuity": Threshold(
        metric="data_continuity",
        warning=0.5,
        critical=0.2,
        direction=Direction.BELOW,
        unit=Unit.FRACTION,
        compare=Compare.BEFORE,
        sources=TELEMETRY,
        consecutive=_READINGS,
    ),
    "component_health": Threshold(
        metric="component_health",
        warning=0.05,
        critical=0.2,
        unit=Unit.FRACTION,
        sources=(Source.OPAMP,),
        consecutive=_READINGS,
    ),
}
TITLES = {
    "failures": text("title.export_failures"),
    "data_continuity": text("metric.data_continuity"),
    "component_health": text("metric.component_health"),
}


def choices_of(fields: Fields) -> tuple[GuardChoice, ...]:
    """Read `guards` of a plan: what it wants otherwise than by default."""
    parent = fields.child("guards")
    parent.known(*DEFAULTS)
    return tuple(_choice(parent.child(name), name) for name in parent.data if name in DEFAULTS)


def _choice(fields: Fields, name: str) -> GuardChoice:
    fields.known("warning", "critical", "enabled", "reason")
    unit = DEFAULTS[name].unit
    is_on = fields.flag("enabled", True)
    reason = fields.text("reason", max_length=500).strip()
    if not is_on and not reason:
        fields.wrong(None, text("plan.guard_off_without_reason", name=name))
    return GuardChoice(
        name=name,
        warning=fields.read("warning", lambda value: parse_quantity(value, unit), None),
        critical=fields.read("critical", lambda value: parse_quantity(value, unit), None),
        enabled=is_on,
        reason=reason,
    )


def default_guards(plan: Plan) -> Iterator[tuple[str, Threshold, GuardChoice]]:
    """Yield each guard that every plan has: its name, its levels, and what the plan chose. A
    threshold of the plan's own for the same metric stands instead of it."""
    chosen = {choice.name: choice for choice in plan.guards}
    own = {threshold.metric for threshold in plan.thresholds if not threshold.dry_run}
    for name, usual in DEFAULTS.items():
        choice = chosen.get(name, GuardChoice(name))
        if usual.metric in own and choice.enabled:
            continue
        levels = {
            level: value
            for level in ("warning", "critical")
            if (value := getattr(choice, level)) is not None
        }
        yield name, replace(usual, **levels), choice
