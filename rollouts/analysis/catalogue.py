"""The metrics that criteria and guards can name, each with what it means and where it comes from.

The one source for gate tiles, the metrics page and docs/metrics.md (`manage.py metrics`). Pure. Units and directions are those of `rollouts.plans.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from console.lib.quantities import Unit
from rollouts.plans.metrics import METRICS, Direction, MetricKind, Source

UNIT_WORDS = {Unit.FRACTION: "per cent", Unit.COUNT: "a whole number", Unit.NONE: "as given"}
SOURCE_WORDS = {
    Source.PROMETHEUS: "Prometheus",
    Source.OWN_METRICS: "own metrics",
    Source.OPAMP: "OpAMP",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: `sources` says per source what exactly is measured."""

    name: str
    title: str
    definition: str
    kind: MetricKind
    sources: Mapping[Source, str] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """Say the unit in words."""
        return UNIT_WORDS.get(self.kind.unit, self.kind.unit.value)

    @property
    def direction(self) -> str:
        """Say on which side of a limit the metric is bad."""
        return "lower is worse" if self.kind.direction is Direction.BELOW else "higher is worse"


def _metric(name: str, title: str, definition: str, **sources: str) -> Metric:
    return Metric(
        name=name,
        title=title,
        definition=definition,
        kind=METRICS[name],
        sources={Source(source): text for source, text in sources.items()},
    )


CATALOGUE = {
    metric.name: metric
    for metric in (
        _metric(
            "failure_rate",
            "Failure rate",
            "Share of what was tried that failed. What agents report of their config and health is "
            "always part of it: other sources can make it worse, never better.",
            opamp="(refused + timed out + fell back + lost + unhealthy) / offered, of the phase; for "
            "guards also of all phases begun, whichever is worse",
            own_metrics="send_failed / (sent + send_failed), over all signals",
            prometheus="send_failed / (sent + send_failed) from the otelcol_exporter_* counters, over "
            "all signals",
        ),
        _metric(
            "error_count",
            "Error count",
            "Errors since the phase was deployed, of all its agents together, a whole number.",
            opamp="agents that refused, timed out, fell back, were lost or are unhealthy, of the phase",
            own_metrics="error log records of the phase's agents",
            prometheus="increase of the counters of log records with an error level",
        ),
        _metric(
            "error_rate",
            "Error rate",
            "Errors per minute over the last five minutes (at least one), of all agents of the phase "
            "together: a few canaries add up to less than a fleet does, and a limit is for the sum.",
            opamp="agents that refused, timed out, fell back, were lost or turned unhealthy, per minute",
            own_metrics="error log records per minute",
            prometheus="rate of the counters of log records with an error level",
        ),
        _metric(
            "cpu_increase",
            "CPU increase",
            "How much more CPU the agents use than before the change, or than agents not yet "
            "changed, as a share: 10 % means 1.1 times as much.",
            own_metrics="increase of process CPU seconds, per minute",
            prometheus="rate of otelcol_process_cpu_seconds",
        ),
        _metric(
            "memory_growth",
            "Memory growth",
            "Slope of resident memory after the warm-up, in bytes per minute and agent.",
            own_metrics="least-squares slope of process RSS",
            prometheus="least-squares slope (deriv) of otelcol_process_memory_rss",
        ),
        _metric(
            "latency_p95",
            "Latency P95",
            "95th percentile of export latency in milliseconds; without an export latency, of the "
            "time that batches take to send.",
            own_metrics="from the buckets of all agents' latency histograms together",
            prometheus="mean over agents of histogram_quantile(0.95, ...)",
        ),
        _metric(
            "data_continuity",
            "Data continuity",
            "Share of the data received that is sent on or waits in a queue, against the same "
            "agents before: 1 means nothing is lost that was not lost before.",
            own_metrics="(sent + growth of queue) / received, of the signal that fares worst",
            prometheus="sent / received from the otelcol_receiver_* and otelcol_exporter_* counters, of "
            "the signal that fares worst",
        ),
        _metric(
            "component_health",
            "Component health",
            "Share of the agents with the new version in whose health tree a component is not well "
            "that was well before: an exporter without a connection in a collector that runs.",
            opamp="agents with a component that is not well, after their grace / offered",
        ),
    )
}


def words_of_source(name: str) -> str:
    """Return how a source is called, as in `own metrics`; "" for none."""
    return next((words for source, words in SOURCE_WORDS.items() if source == name), name)


def title_of(name: str) -> str:
    """Return the words for a metric; a metric of the user's own is called as it is named."""
    if name in CATALOGUE:
        return CATALOGUE[name].title
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def as_markdown(queries_of: Callable[[str], Sequence[str]]) -> str:
    """Return docs/metrics.md; `queries_of` says what Prometheus is asked for a metric."""
    parts = [_HEAD]
    for metric in CATALOGUE.values():
        facts = [f"unit: {metric.unit}", metric.direction]
        facts.append(f"compare: {' or '.join(metric.kind.comparisons)}")
        rows = [
            f"| {words} | {metric.sources[source]} |"
            for source, words in SOURCE_WORDS.items()
            if source in metric.sources
        ]
        parts.append(
            f"## {metric.title}: `{metric.name}`\n\n{metric.definition} ({'; '.join(facts)})\n\n"
            "| source | what is measured |\n|---|---|\n" + "\n".join(rows)
        )
        if queries := queries_of(metric.name):
            parts.append(_QUERIES + "```promql\n" + "\n".join(queries) + "\n```")
    return "\n\n".join([*parts, _NAMES]) + "\n"


_HEAD = """# Metrics behind criteria and guards

Written by `manage.py metrics`; the page *Help, Metrics* shows the same.

Success criteria, thresholds and triggers can name these. Any other name is your own and brings its
PromQL as `query`. Sources are asked in the order Prometheus, own metrics, OpAMP, unless the plan says
otherwise; what agents themselves report is always part of the answer. No answer is never a good
answer: without data a phase holds. Readings shortly after a config was applied (the warm-up) do not
count, because a collector that restarts is not a regression. `compare` can be `absolute`, `before`
(the same agents before the change, at most an hour of it) or `control` (agents of the rollout that do
not change now; few of them make a reading less sure); each metric below names those it knows, the one
it takes by itself first."""

_NAMES = """## Names

Which labels name an agent is the setting `PROMETHEUS_AGENT_LABELS`, strongest first. A collector's own
endpoint says its `service_instance_id` only in `target_info`; that is joined by `job` and `instance`. A
series that fits no agent is a stranger's and decides nothing. Other known names of a metric are asked by
themselves, and a reading says so: with and without `_total`; `process_cpu_seconds_total` and
`otelcol_process_cpu_seconds`; `process_resident_memory_bytes` and `otelcol_process_memory_rss`, with or
without `_bytes`; `log_messages`, `log_records` and `otelcol_log_records`. Rules that record the usual
names for other tools are in `docker/prometheus/`."""

_QUERIES = "Prometheus is asked, per agent, here for a window of five minutes:\n\n"
