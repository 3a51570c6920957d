"""Readings from Prometheus: metrics of the catalogue, metrics by the user's PromQL, and triggers.

Queries are grouped by `service_instance_id` and joined here with the rollout's own target lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice
from statistics import fmean

from rollouts.analysis import estimates, promql
from rollouts.analysis.estimates import Estimate
from rollouts.analysis.readings import Outcome, Reading, estimated, silent
from rollouts.analysis.scene import Member, Scene
from rollouts.analysis.sources.prometheus_api import PrometheusApi, Sample, Trouble, told
from rollouts.analysis.sources.prometheus_metrics import METRICS, Asked, Windows
from rollouts.analysis.specs import GateSpec
from rollouts.engine.facts import GateKind
from rollouts.plans.metrics import Compare, Source

NAME = Source.PROMETHEUS.value
NOT_SET = "PROMETHEUS_URL is not set"
STRANGERS = "Prometheus knows none of the agents that run the new version"
MOST_KEPT_SERIES, MOST_KEPT_LABELS = 5, 20
# What every collector exports while it runs: proof that Prometheus knows our agents at all.
_ALIVE = [
    *promql.both_spellings("otelcol_process_uptime", "otelcol_process_uptime_seconds"),
    "otelcol_process_memory_rss",
    "otelcol_process_memory_rss_bytes",
    "target_info",
]

# Counters that collectors export from the first failure on.
_UNTIL_FAILURE = re.compile(
    r"otelcol_(exporter_(send|enqueue)_failed|receiver_(refused|failed)"
    r"|processor_(refused|dropped)|log_records)"
)


class PrometheusSource:
    """One instance serves one scene: the time its queries may take is shared."""

    name = Source.PROMETHEUS

    def __init__(self, connect: Callable[[], PrometheusApi | None]) -> None:
        self._api = connect()
        self._answers: dict[tuple[str, str, Compare], Reading] = {}

    def measures(self, spec: GateSpec) -> bool:
        """Everything with a query of its own, and the catalogue if there is a Prometheus."""
        return bool(spec.query) or (self._api is not None and spec.metric in METRICS)

    def measure(self, spec: GateSpec, scene: Scene) -> Reading:
        if self._api is None:
            return silent(Outcome.NO_DATA, NAME, NOT_SET, spec.query)
        key = (spec.metric, spec.query, spec.compare)
        if key not in self._answers:
            self._answers[key] = self._ask(self._api, spec, scene)
        return self._answers[key]

    def _ask(self, api: PrometheusApi, spec: GateSpec, scene: Scene) -> Reading:
        try:
            if spec.kind is GateKind.TRIGGER:
                return _condition(api, spec, scene)
            if spec.query:
                return _own_query(api, spec, scene)
            return _catalogue(api, spec, scene)
        except Trouble as trouble:
            return silent(Outcome.ERROR, NAME, str(trouble), spec.query)


def _catalogue(api: PrometheusApi, spec: GateSpec, scene: Scene) -> Reading:
    windows = Windows.of(scene)
    if windows is None:
        return silent(Outcome.NO_DATA, NAME, "no agent has run the new version long enough yet")
    asked = Asked(api, scene, windows)
    stale = asked.why_stale()
    if stale is not None:
        return silent(stale[0], NAME, stale[1], asked.first_query)
    answer = METRICS[spec.metric](asked, spec.compare)
    warm_up = f"the first {windows.warm_up_s:g} s after each change left out"
    note = "; ".join(filter(None, [answer.note, warm_up]))
    if answer.estimate is None:
        return silent(Outcome.NO_DATA, NAME, note, asked.first_query)
    return _reading(answer.estimate, note, asked.first_query, spec.compare)


def _reading(found: Estimate, note: str, query: str, compare: Compare) -> Reading:
    return estimated(found, source=NAME, note=note, query=query, compare=compare)


# --- Metrics by the user's own PromQL ------------------------------------------------------


def _own_query(api: PrometheusApi, spec: GateSpec, scene: Scene) -> Reading:
    """Take one value, or one per agent; against before or control as a difference."""
    samples = api.query(spec.query, scene.now)
    if not samples:
        return silent(Outcome.NO_DATA, NAME, "the query gives nothing", spec.query)
    per_agent = [sample for sample in samples if sample.instance]
    if not per_agent:
        return _whole(api, spec, scene, samples)
    after = _joined(per_agent, scene.changed)
    if not after:
        note = "the query knows none of the agents that run the new version"
        return silent(Outcome.NO_DATA, NAME, note, spec.query)
    found = estimates.mean(after, len(after))
    if spec.compare is Compare.ABSOLUTE:
        return _reading(found, "", spec.query, spec.compare)
    if spec.compare is Compare.CONTROL:
        base, words = _joined(per_agent, scene.control), "agents that do not change now"
    else:
        old = api.query(spec.query, scene.phase.started_at or scene.now)
        base, words = _joined(old, scene.changed), "the same agents before"
    if not base:
        return silent(Outcome.NO_DATA, NAME, f"the query knows no {words}", spec.query)
    return _reading(_less(found, base), f"less that of {words}", spec.query, spec.compare)


def _whole(api: PrometheusApi, spec: GateSpec, scene: Scene, samples: Sequence[Sample]) -> Reading:
    if len(samples) > 1:
        raise Trouble(
            f"the query gives {len(samples)} values; aggregate it to one, or group it by "
            f"{promql.INSTANCE}"
        )
    if spec.compare is Compare.CONTROL:
        raise Trouble(f"to compare with a control group, group the query by {promql.INSTANCE}")
    value, note = samples[0].value, ""
    if spec.compare is Compare.BEFORE:
        old = api.query(spec.query, scene.phase.started_at or scene.now)
        if len(old) != 1:
            return silent(Outcome.NO_DATA, NAME, "the query gave nothing before", spec.query)
        value, note = value - old[0].value, f"less {old[0].value:.4g} before"
    agents = max(1, len(scene.changed))
    return _reading(Estimate(value, None, None, agents, 1), note, spec.query, spec.compare)


def _joined(samples: Sequence[Sample], members: Sequence[Member]) -> list[float]:
    """Return one value per agent of the cohort; several series of one agent are averaged."""
    ids = {member.instance_id for member in members}
    values: dict[str, list[float]] = {}
    for sample in samples:
        if sample.instance in ids:
            values.setdefault(sample.instance, []).append(sample.value)
    return [fmean(found) for found in values.values()]


def _less(found: Estimate, base: Sequence[float]) -> Estimate:
    other = estimates.mean(base, len(base))
    value = found.value - other.value
    if found.high is None or other.high is None:
        return Estimate(value, None, None, found.agents, found.samples)
    half = ((found.high - found.value) ** 2 + (other.high - other.value) ** 2) ** 0.5
    return Estimate(value, value - half, value + half, found.agents, found.samples)


# --- Triggers ------------------------------------------------------------------------------


def _condition(api: PrometheusApi, spec: GateSpec, scene: Scene) -> Reading:
    """Answer a trigger: true when the condition gives anything about the rollout's agents.

    A series of an agent that this rollout has not touched says nothing about it. Nothing at all is
    false only when Prometheus knows our agents: a comparison is also empty where data is missing.
    Whatever its value, a series is true (`sum(x) == 0` gives 0); only where the condition says `bool`
    does PromQL itself answer 0 for no.
    """
    samples = api.query(spec.query, scene.now)
    nought_is_no = promql.uses_bool(spec.query)
    true = [
        sample
        for sample in samples
        if (not sample.instance or sample.instance in scene.touched_ids)
        and not (nought_is_no and sample.value == 0)
    ]
    if not true:
        missing = _why_unknown(api, spec, scene)
        if missing:
            return silent(Outcome.NO_DATA, NAME, missing, spec.query)
    instances = {sample.instance for sample in true if sample.instance}
    return Reading(
        outcome=Outcome.VALUE,
        value=true[0].value if true else None,
        agents=len(instances) or len(scene.touched_ids),
        samples=len(true),
        source=NAME,
        query=spec.query,
        breached=bool(true),
        inputs={"series": [_labels(sample) for sample in true[:MOST_KEPT_SERIES]]},
    )


def _labels(sample: Sample) -> dict[str, str]:
    """Return what is kept of a series: any agent can choose its labels, so they have a limit."""
    kept = islice(sample.labels.items(), MOST_KEPT_LABELS)
    return {told(name, 100): told(value, 200) for name, value in kept}


def _why_unknown(api: PrometheusApi, spec: GateSpec, scene: Scene) -> str:
    """Say why an empty answer proves nothing, "" when it does: every metric named is there, and
    where it is told by agent, of an agent of ours.

    A collector's counter of failures has no series before the first failure; such a one may be
    missing where Prometheus knows our agents otherwise.
    """
    names = promql.metric_names(spec.query)
    if not names:
        return "" if _knows_us(api, scene, ()) else STRANGERS
    both = {other: name for name in names for other in (name, _other_spelling(name))}
    found = api.query(f"count by (__name__) ({promql.selector(both)})", scene.now)
    known = {sample.labels.get("__name__", "") for sample in found}
    missing = [name for name in names if name not in known]
    for name in missing:
        if _other_spelling(name) in known:
            return f"Prometheus has no {name}, but {_other_spelling(name)}: write that"
    if missing and not all(_UNTIL_FAILURE.match(name) for name in missing):
        return f"Prometheus has no metric {', '.join(missing)}"
    told_of = [name for name in names if not _UNTIL_FAILURE.match(name)]
    return "" if _knows_us(api, scene, told_of) else STRANGERS


def _other_spelling(name: str) -> str:
    return name.removesuffix("_total") if name.endswith("_total") else f"{name}_total"


def _knows_us(api: PrometheusApi, scene: Scene, names: Sequence[str]) -> bool:
    """Tell whether these metrics speak of an agent of ours or of no agent at all; without any, whether
    Prometheus knows our agents otherwise."""
    if not scene.touched_ids:
        return True
    series = promql.selector(names or _ALIVE)
    found = api.query(f"count by ({promql.INSTANCE}) ({series})", scene.now)
    wanted = scene.touched_ids if not names else scene.touched_ids | {""}
    return any(sample.instance in wanted for sample in found)
