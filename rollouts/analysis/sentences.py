"""What a gate says to a tired person, in one sentence. Pure."""

from __future__ import annotations

from console.lib.quantities import Unit, format_quantity, scaled_bytes
from console.lib.texts import Text, text
from rollouts.analysis.catalogue import words_of_source
from rollouts.analysis.specs import GateSpec
from rollouts.engine.facts import GateFacts, GateKind, Level, Verdict
from rollouts.engine.tally import agents
from rollouts.plans.metrics import Source

_SIDES = {
    "<": "gate.below",
    "<=": "gate.at_most",
    ">": "gate.above",
    ">=": "gate.at_least",
    "==": "gate.equal_to",
    "!=": "gate.other_than",
}


def sentence(spec: GateSpec, gate: GateFacts, missing: Text) -> Text:
    """Return the sentence of a judged gate: value, limit, what stands behind it. `missing` is what a
    criterion with too little evidence waits for."""
    if gate.no_data_since is not None:
        since = gate.no_data_since.isoformat()
        return text("gate.no_data", gate=spec.title, since=since, why=gate.note)
    if spec.kind is GateKind.TRIGGER:
        return _of_trigger(spec, gate)
    if gate.value is None:
        return text("gate.no_reading", gate=spec.title)
    judged = (
        _level(spec, gate) if spec.kind is GateKind.THRESHOLD else _criterion(spec, gate, missing)
    )
    value = amount(gate.value, spec.unit)
    return text("gate.judged", gate=spec.title, value=value, judged=judged, behind=_behind(gate))


def amount(value: float, unit: str) -> str:
    """Write a value in its unit with four significant digits; a per cent as pages write it."""
    if unit == Unit.BYTES_PER_MIN:
        number, name = scaled_bytes(value)
        return f"{number:.4g} {name}/min"
    rounded = float(f"{value:.4g}")
    try:
        return format_quantity(rounded, Unit(unit or "none")).replace("%", " %")
    except ValueError:
        return f"{rounded:g}"


def _criterion(spec: GateSpec, gate: GateFacts, missing: Text) -> Text:
    wanted = text(_SIDES[spec.operator], limit=amount(spec.limit or 0.0, spec.unit))
    if gate.verdict is Verdict.FAIL:
        return text("gate.must_be", wanted=wanted)
    if gate.verdict is Verdict.INCONCLUSIVE:
        return text("gate.uncertain", wanted=wanted)
    if gate.verdict is Verdict.INSUFFICIENT:
        return text("gate.must_be_but", wanted=wanted, missing=missing)
    return text("gate.as_it_must_be", wanted=wanted)


def _level(spec: GateSpec, gate: GateFacts) -> Text:
    is_below = spec.operator == "below"
    if gate.level is Level.CRITICAL:
        level = amount(spec.limit or 0.0, spec.unit)
        if is_below:
            return text("gate.below_critical", level=level)
        return text("gate.above_critical", level=level)
    if gate.level is Level.WARNING:
        reached = spec.warning if spec.warning is not None else spec.limit
        level = amount(reached or 0.0, spec.unit)
        if is_below:
            return text("gate.below_warning", level=level)
        return text("gate.above_warning", level=level)
    return text("gate.within_levels")


def _of_trigger(spec: GateSpec, gate: GateFacts) -> Text:
    if gate.pending_since is None:
        return text("trigger.not_true", gate=spec.title)
    since = gate.pending_since.isoformat()
    if gate.verdict is Verdict.FAIL:
        return text("trigger.held", gate=spec.title, seconds=spec.for_s, since=since)
    return text("trigger.pending", gate=spec.title, seconds=spec.for_s, since=since)


def _behind(gate: GateFacts) -> list[Text | str]:
    """Return how sure the value is, and what stands behind it."""
    parts: list[Text | str] = [agents(gate.agents)]
    if gate.low is not None and gate.high is not None:
        low, high = amount(gate.low, gate.unit), amount(gate.high, gate.unit)
        parts.insert(0, text("gate.between", low=low, high=high))
    if gate.source:
        parts.append(words_of_source(gate.source))
    if gate.note and gate.source == Source.OPAMP:
        parts.append(gate.note)
    return parts
