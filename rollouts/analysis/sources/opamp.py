"""Readings from what agents report over OpAMP: config outcomes and health. Always there.

Made from the counts that ticks keep on the phase, so that a reading costs the same for ten agents
and ten thousand. Only `error_rate` asks the targets, for those that failed lately.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from console.lib.texts import Text, text
from rollouts.analysis.catalogue import CATALOGUE
from rollouts.analysis.readings import Outcome, Reading, silent
from rollouts.analysis.scene import Scene
from rollouts.analysis.specs import GateSpec
from rollouts.engine.facts import Counts, GateKind
from rollouts.engine.tally import agents, total
from rollouts.plans.metrics import Source

NAME = Source.OPAMP.value
RATE_WINDOW = timedelta(minutes=5)
SHORTEST_RATE = timedelta(minutes=1)
# The share of those asked who must have answered before "nobody failed" says something.
ANSWERED = 0.9


class OpampSource:
    """Failure rate, error count and error rate of the watched phase."""

    name = Source.OPAMP

    def measures(self, spec: GateSpec) -> bool:
        return spec.metric in _MEASURES and not spec.query

    def measure(self, spec: GateSpec, scene: Scene) -> Reading:
        return _MEASURES[spec.metric](spec, scene)


def _parts(counts: Counts) -> dict[str, int]:
    return {
        "offered": counts.offered,
        "failed": counts.failed,
        "timed_out": counts.timed_out,
        "fell_back": counts.fell_back,
        "lost": counts.lost,
        "unhealthy": counts.unhealthy,
    }


def _reading(metric: str, value: float, counts: Counts, scene: Scene) -> Reading:
    return Reading(
        outcome=Outcome.VALUE,
        value=value,
        agents=counts.offered,
        samples=counts.offered,
        source=NAME,
        query=CATALOGUE[metric].sources[Source.OPAMP],
        note=_what_is_sick(scene) if counts.unhealthy else "",
        inputs=_parts(counts),
    )


def _what_is_sick(scene: Scene) -> Text | str:
    """Say which components are not well, those of most agents first."""
    found = [
        text("reading.sick_component", component=what, agents=agents(count))
        for what, count in scene.sick_components
    ]
    return text("reading.sick", components=found) if found else ""


def _nothing_offered(metric: str) -> Reading:
    query = CATALOGUE[metric].sources[Source.OPAMP]
    return silent(Outcome.NO_DATA, NAME, text("reading.nobody_offered"), query)


def _too_few_answered(metric: str, counts: Counts) -> Reading | None:
    """Return a reading without a value while nobody failed but many have not answered: 0 % of those
    who said nothing yet is no evidence (spec section 4). A failure counts at once."""
    answered = counts.offered - counts.outstanding
    if counts.bad or answered >= round(ANSWERED * counts.offered, 6):
        return None
    query = CATALOGUE[metric].sources[Source.OPAMP]
    note = text("reading.answered", answered=answered, offered=counts.offered)
    return silent(Outcome.NO_DATA, NAME, note, query)


def _failure_rate(spec: GateSpec, scene: Scene) -> Reading:
    """Share of the phase; a guard also looks at all begun phases together, so that agents of an
    earlier phase that fall over later are not forgotten, and takes the worse."""
    cohorts = [scene.counts]
    if spec.kind is GateKind.THRESHOLD:
        cohorts.append(total(scene.counts_of_begun))
    offered = [counts for counts in cohorts if counts.offered]
    if not offered:
        return _nothing_offered(spec.metric)
    worst = max(offered, key=lambda counts: counts.bad / counts.offered)
    too_few = _too_few_answered(spec.metric, worst)
    if too_few is not None:
        return too_few
    reading = _reading(spec.metric, worst.bad / worst.offered, worst, scene)
    return replace(reading, inputs={**reading.inputs, **_beside(scene)})


def _beside(scene: Scene) -> dict[str, Any]:
    """Return what became of agents that do not change meanwhile: it is shown beside the failures,
    and never judged. Nobody offered them anything, so all that can befall them is bad health."""
    bad, looked_at = scene.beside
    if not looked_at:
        return {}
    return {"control": {"value": bad / looked_at, "low": None, "high": None, "agents": looked_at}}


def _error_count(spec: GateSpec, scene: Scene) -> Reading:
    if not scene.counts.offered:
        return _nothing_offered(spec.metric)
    too_few = _too_few_answered(spec.metric, scene.counts)
    return too_few or _reading(spec.metric, float(scene.counts.bad), scene.counts, scene)


def _error_rate(spec: GateSpec, scene: Scene) -> Reading:
    counts = scene.counts
    if not counts.offered or scene.phase.started_at is None:
        return _nothing_offered(spec.metric)
    too_few = _too_few_answered(spec.metric, counts)
    if too_few is not None:
        return too_few
    window = min(RATE_WINDOW, max(SHORTEST_RATE, scene.now - scene.phase.started_at))
    errors = scene.errors_since(scene.now - window)
    return _reading(spec.metric, errors / (window.total_seconds() / 60), counts, scene)


def _component_health(spec: GateSpec, scene: Scene) -> Reading:
    """Share of the agents judged that have a component which is not well and was before."""
    found = scene.component_health
    query = CATALOGUE[spec.metric].sources[Source.OPAMP]
    if found is None or not found[1]:
        why = text("reading.no_components")
        return silent(Outcome.NO_DATA, NAME, why, query)
    sick, judged = found
    return Reading(
        outcome=Outcome.VALUE,
        value=sick / judged,
        agents=judged,
        samples=judged,
        source=NAME,
        note=_what_is_sick(scene) if sick else "",
        query=query,
        inputs={"sick": sick, "judged": judged},
    )


_MEASURES = {
    "failure_rate": _failure_rate,
    "error_count": _error_count,
    "error_rate": _error_rate,
    "component_health": _component_health,
}
