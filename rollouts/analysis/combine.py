"""Asking the sources of a gate in order, and what their answers make together.

The first of Prometheus and own metrics that knows a value gives it. OpAMP facts are asked as well
whenever the gate's sources name them: the worse of the two counts, since telemetry may add evidence
but must not hide what agents themselves reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from console.lib.texts import Text, also, text
from rollouts.analysis.catalogue import words_of_source
from rollouts.analysis.readings import Outcome, Reading, silent
from rollouts.analysis.scene import Scene
from rollouts.analysis.sources import MetricSource
from rollouts.analysis.specs import GateSpec
from rollouts.engine.facts import GateKind
from rollouts.plans.metrics import Source


def read_gate(spec: GateSpec, scene: Scene, sources: Mapping[Source, MetricSource]) -> Reading:
    """Return the reading of one gate now, from the sources it names."""
    answers: list[Reading] = []
    reports: list[Reading] = []
    for name in spec.sources:
        source = sources.get(name)
        if source is None or not source.measures(spec):
            continue
        if name is Source.OPAMP:
            reports.append(source.measure(spec, scene))
        elif not any(answer.has_value for answer in answers):
            answers.append(source.measure(spec, scene))
    return pick(spec, answers, reports)


def pick(spec: GateSpec, answers: Sequence[Reading], reports: Sequence[Reading]) -> Reading:
    """Return one reading from telemetry `answers` (in order) and OpAMP `reports`."""
    # Reports first: where both are as bad, the agents' own word is shown.
    valued = [reading for reading in (*reports, *answers) if reading.has_value]
    if not valued:
        return _nothing(spec, [*answers, *reports])
    worst = _worst(spec, valued)
    others = [reading for reading in valued if reading is not worst and reading.value is not None]
    if not others:
        return worst
    also = {reading.source: reading.value for reading in others}
    return replace(worst, inputs={**worst.inputs, "also": also})


def _worst(spec: GateSpec, valued: Sequence[Reading]) -> Reading:
    if spec.kind is GateKind.TRIGGER or len(valued) == 1:
        return valued[0]
    lower_is_worse = spec.operator in {">", ">=", "below"}
    return (min if lower_is_worse else max)(valued, key=lambda reading: reading.value or 0.0)


def _nothing(spec: GateSpec, asked: Sequence[Reading]) -> Reading:
    """Say why there is no value: the most telling outcome, and every source's reason."""
    if not asked:
        note = text("reading.no_source", names=[source.value for source in spec.sources])
        return silent(Outcome.NO_DATA, "", note, spec.query)
    for outcome in (Outcome.ERROR, Outcome.STALE, Outcome.NO_DATA):
        found = [reading for reading in asked if reading.outcome is outcome]
        if found:
            return replace(found[0], note=also(_reason(reading) for reading in asked))
    return asked[0]


def _reason(reading: Reading) -> Text:
    """Return why a source has no value, naming it unless the reason does."""
    source = words_of_source(reading.source)
    return text("reading.of_source", source=source, note=reading.note)
