"""What a gate says to a tired person, in one sentence. Pure."""

from __future__ import annotations

from console.lib.quantities import Unit, format_quantity, scaled_bytes
from rollouts.analysis.catalogue import words_of_source
from rollouts.analysis.specs import GateSpec
from rollouts.engine.facts import GateFacts, GateKind, Level, Verdict
from rollouts.plans.metrics import Source

_SIDES = {"<": "below", "<=": "at most", ">": "above", ">=": "at least", "==": "equal to"}
_SIDES["!="] = "other than"


def sentence(spec: GateSpec, gate: GateFacts, missing: str) -> str:
    """Return the sentence of a judged gate: value, limit, what stands behind it. `missing` is what a
    criterion with too little evidence waits for."""
    if gate.no_data_since is not None:
        why = f" ({gate.note.rstrip('.')})" if gate.note else ""
        return f"{spec.title} has no data since {gate.no_data_since:%H:%M:%S} UTC{why}."
    if spec.kind is GateKind.TRIGGER:
        return _of_trigger(spec, gate)
    if gate.value is None:
        return f"{spec.title} has no reading yet."
    said = f"{spec.title} is {amount(gate.value, spec.unit)}"
    if spec.kind is GateKind.THRESHOLD:
        return f"{said}, {_level(spec, gate)} ({_behind(gate)})."
    return f"{said}, {_criterion(spec, gate, missing)} ({_behind(gate)})."


def amount(value: float, unit: str) -> str:
    """Write a value in its unit with four significant digits."""
    if unit == Unit.BYTES_PER_MIN:
        number, name = scaled_bytes(value)
        return f"{number:.4g} {name}/min"
    rounded = float(f"{value:.4g}")
    try:
        return format_quantity(rounded, Unit(unit or "none"))
    except ValueError:
        return f"{rounded:g}"


def _criterion(spec: GateSpec, gate: GateFacts, missing: str) -> str:
    wanted = f"{_SIDES.get(spec.operator, spec.operator)} {amount(spec.limit or 0.0, spec.unit)}"
    if gate.verdict is Verdict.FAIL:
        return f"it must be {wanted}"
    if gate.verdict is Verdict.INCONCLUSIVE:
        return f"too uncertain to say whether it is {wanted}"
    if gate.verdict is Verdict.INSUFFICIENT:
        return f"it must be {wanted}; {missing}"
    return f"as it must be: {wanted}"


def _level(spec: GateSpec, gate: GateFacts) -> str:
    side = "at or below" if spec.operator == "below" else "at or above"
    if gate.level is Level.CRITICAL:
        return f"{side} the critical level {amount(spec.limit or 0.0, spec.unit)}"
    if gate.level is Level.WARNING:
        reached = spec.warning if spec.warning is not None else spec.limit
        return f"{side} the warning level {amount(reached or 0.0, spec.unit)}"
    return "within its levels"


def _of_trigger(spec: GateSpec, gate: GateFacts) -> str:
    if gate.pending_since is None:
        return f"{spec.title}: the condition is not true."
    since = f"true since {gate.pending_since:%H:%M:%S} UTC"
    if gate.verdict is Verdict.FAIL:
        return f"{spec.title}: the condition held for {spec.for_s:g} s, {since}."
    return f"{spec.title}: the condition is {since}; it acts after {spec.for_s:g} s."


def _behind(gate: GateFacts) -> str:
    """Say how sure the value is, and what stands behind it."""
    parts = ["1 agent" if gate.agents == 1 else f"{gate.agents:,} agents"]
    if gate.low is not None and gate.high is not None:
        low, high = amount(gate.low, gate.unit), amount(gate.high, gate.unit)
        parts.insert(0, f"between {low} and {high}")
    if gate.source:
        parts.append(words_of_source(gate.source))
    if gate.note and gate.source == Source.OPAMP:
        parts.append(gate.note)
    return ", ".join(parts)
