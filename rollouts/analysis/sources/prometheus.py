"""Readings from Prometheus: metrics of the catalogue, metrics by the user's PromQL, and triggers.

Queries are grouped by the labels that name agents and joined here with the rollout's own target
lists (`rollouts.analysis.identity`); triggers are in `prometheus_conditions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from statistics import fmean

from console.lib.texts import Text, also, text
from rollouts.analysis import estimates
from rollouts.analysis.estimates import Estimate
from rollouts.analysis.readings import Outcome, Reading, estimated, silent
from rollouts.analysis.scene import Member, Scene
from rollouts.analysis.sources.prometheus_agents import Known
from rollouts.analysis.sources.prometheus_api import PrometheusApi, Sample, Trouble
from rollouts.analysis.sources.prometheus_conditions import NAME, read_condition, vocabulary
from rollouts.analysis.sources.prometheus_metrics import METRICS, Asked, Windows
from rollouts.analysis.specs import GateSpec
from rollouts.engine.facts import GateKind
from rollouts.plans.metrics import Compare, Source
from rollouts.promql.read import BadPromql, query
from rollouts.promql.rewrite import Rewriting, rewritten

NOT_SET = text("prometheus.not_set")


class PrometheusSource:
    """One instance serves one scene: the time its queries may take is shared."""

    name = Source.PROMETHEUS

    def __init__(self, connect: Callable[[], PrometheusApi | None]) -> None:
        self._api = connect()
        self._answers: dict[tuple[str, str, Compare, GateKind], Reading] = {}
        self._known: Known | None = None

    def measures(self, spec: GateSpec) -> bool:
        """Everything with a query of its own, and the catalogue if there is a Prometheus."""
        return bool(spec.query) or (self._api is not None and spec.metric in METRICS)

    def measure(self, spec: GateSpec, scene: Scene) -> Reading:
        if self._api is None:
            return silent(Outcome.NO_DATA, NAME, NOT_SET, spec.query)
        key = (spec.metric, spec.query, spec.compare, spec.kind)
        if key not in self._answers:
            self._answers[key] = self._ask(self._api, spec, scene)
        return self._answers[key]

    def _ask(self, api: PrometheusApi, spec: GateSpec, scene: Scene) -> Reading:
        try:
            if spec.kind is GateKind.TRIGGER:
                return read_condition(api, self._agents(api, scene), spec, scene)
            if spec.query:
                return _OwnQuery(api, self._agents(api, scene), spec, scene).reading()
            return _catalogue(api, self._agents(api, scene), spec, scene)
        except (Trouble, BadPromql) as trouble:
            return silent(Outcome.ERROR, NAME, trouble.says, spec.query)

    def _agents(self, api: PrometheusApi, scene: Scene) -> Known:
        if self._known is None:
            members = [*scene.changed, *scene.control, *scene.running]
            self._known = Known(api, scene.labels, {m.agent_id: m for m in members}.values())
        return self._known


def _catalogue(api: PrometheusApi, known: Known, spec: GateSpec, scene: Scene) -> Reading:
    windows = Windows.of(scene)
    if windows is None:
        return silent(Outcome.NO_DATA, NAME, text("prometheus.too_soon"))
    asked = Asked(known, scene, windows)
    stale = asked.why_stale()
    if stale is not None:
        return silent(stale[0], NAME, stale[1], asked.first_query)
    answer = METRICS[spec.metric](asked, spec.compare)
    warm_up = text("reading.warm_up", seconds=windows.warm_up_s)
    note = also([answer.note, warm_up])
    if answer.estimate is None:
        return silent(Outcome.NO_DATA, NAME, note, asked.first_query)
    found = _reading(answer.estimate, note, asked.first_query, spec.compare)
    beside = {} if answer.control is None else {"control": answer.control.kept()}
    return replace(found, inputs={**found.inputs, **beside})


def _reading(found: Estimate, note: Text | str, query: str, compare: Compare) -> Reading:
    return estimated(found, source=NAME, note=note, query=query, compare=compare)


# --- Metrics by the user's own PromQL ------------------------------------------------------


class _OwnQuery:
    """One value for the rollout, or one per agent; against before or control as a difference."""

    def __init__(self, api: PrometheusApi, known: Known, spec: GateSpec, scene: Scene) -> None:
        self._api, self._known, self._spec, self._scene = api, known, spec, scene
        found = query(spec.query)
        words = vocabulary(api, known.grouping, found, scene.now)
        self._query = rewritten(found, Rewriting(words.names))
        self._note = words.note
        self._is_whole = known.is_whole(found.kept)

    def reading(self) -> Reading:
        if self._is_whole:
            return self._whole()
        now = self._values(self._scene.now)
        after = _of(now, self._scene.changed)
        if not after:
            return self._silent(self._why_nothing(now))
        found, compare = estimates.mean(after, len(after)), self._spec.compare
        if compare is Compare.ABSOLUTE:
            return self._told(found, "")
        if compare is Compare.CONTROL:
            base, words = _of(now, self._scene.control), text("cohort.control")
        else:
            began = self._scene.phase.started_at or self._scene.now
            base, words = _of(self._values(began), self._scene.changed), text("cohort.before")
        if not base:
            return self._silent(text("query.knows_no", whom=words))
        return self._told(_less(found, base), text("reading.less_that_of", whom=words))

    def _values(self, at: datetime) -> dict[int, float]:
        """Return one value per agent; several series of one agent are averaged."""
        return self._known.values(self._query, at, fmean)

    def _why_nothing(self, known: Mapping[int, float]) -> Text:
        if known:
            return text("query.knows_none_on_new")
        given = len(self._api.query(self._query, self._scene.now))
        if not given:
            return text("query.gives_nothing")
        return text(
            "query.knows_strangers",
            given=given,
            labels=", ".join(one.label for one in self._scene.labels),
        )

    def _whole(self) -> Reading:
        samples = self._one(self._scene.now)
        if not samples:
            return self._silent(text("query.gives_nothing"))
        if self._spec.compare is Compare.CONTROL:
            labels = [one.label for one in self._scene.labels[:1]]
            raise Trouble("query.group_it_to_compare", label=labels)
        value = samples[0].value
        note: Text | str = text("reading.as_a_whole")
        if self._spec.compare is Compare.BEFORE:
            old = self._one(self._scene.phase.started_at or self._scene.now)
            if not old:
                return self._silent(text("query.gave_nothing_before"))
            value -= old[0].value
            note = also([text("reading.less_before", value=old[0].value), note])
        agents = max(1, len(self._scene.changed))
        return self._told(Estimate(value, None, None, agents, 1), note)

    def _one(self, at: datetime) -> list[Sample]:
        samples = self._api.query(self._query, at)
        if len(samples) > 1:
            raise Trouble("query.many_values", count=len(samples))
        return samples

    def _told(self, found: Estimate, note: Text | str) -> Reading:
        said = also([note, self._note])
        return _reading(found, said, self._spec.query, self._spec.compare)

    def _silent(self, why: Text) -> Reading:
        return silent(Outcome.NO_DATA, NAME, why, self._spec.query)


def _of(values: Mapping[int, float], members: Sequence[Member]) -> list[float]:
    return [values[m.agent_id] for m in members if m.agent_id in values]


def _less(found: Estimate, base: Sequence[float]) -> Estimate:
    other = estimates.mean(base, len(base))
    value = found.value - other.value
    if found.high is None or other.high is None:
        return Estimate(value, None, None, found.agents, found.samples)
    half = ((found.high - found.value) ** 2 + (other.high - other.value) ** 2) ** 0.5
    return Estimate(value, value - half, value + half, found.agents, found.samples)
