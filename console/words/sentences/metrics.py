"""What metrics are called and mean, and what each source measures of them. Read by
`console.words.tables`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _l

from console.lib.texts import Sentence

METRICS: dict[str, Sentence] = {
    "metric.failure_rate": _l("Failure rate"),
    "metric.failure_rate.means": _l(
        "Share of what was tried that failed. What agents report of their config and "
        "health is always part of it: other sources can make it worse, never better."
    ),
    "metric.failure_rate.opamp": _l(
        "(refused + timed out + fell back + lost + unhealthy) / offered, of the phase; "
        "for guards also of all phases begun, whichever is worse"
    ),
    "metric.failure_rate.own_metrics": _l("send_failed / (sent + send_failed), over all signals"),
    "metric.failure_rate.prometheus": _l(
        "send_failed / (sent + send_failed) from the otelcol_exporter_* counters, over all signals"
    ),
    "metric.error_count": _l("Error count"),
    "metric.error_count.means": _l(
        "Errors since the phase was deployed, of all its agents together, a whole number."
    ),
    "metric.error_count.opamp": _l(
        "agents that refused, timed out, fell back, were lost or are unhealthy, of the phase"
    ),
    "metric.error_count.own_metrics": _l("error log records of the phase's agents"),
    "metric.error_count.prometheus": _l(
        "increase of the counters of log records with an error level"
    ),
    "metric.error_rate": _l("Error rate"),
    "metric.error_rate.means": _l(
        "Errors per minute over the last five minutes (at least one), of all agents of "
        "the phase together: a few canaries add up to less than a fleet does, and a limit "
        "is for the sum."
    ),
    "metric.error_rate.opamp": _l(
        "agents that refused, timed out, fell back, were lost or turned unhealthy, per minute"
    ),
    "metric.error_rate.own_metrics": _l("error log records per minute"),
    "metric.error_rate.prometheus": _l("rate of the counters of log records with an error level"),
    "metric.cpu_increase": _l("CPU increase"),
    "metric.cpu_increase.means": _l(
        "How much more CPU the agents use than before the change, or than agents not yet "
        "changed, as a share: 10 % means 1.1 times as much."
    ),
    "metric.cpu_increase.own_metrics": _l("increase of process CPU seconds, per minute"),
    "metric.cpu_increase.prometheus": _l("rate of otelcol_process_cpu_seconds"),
    "metric.memory_growth": _l("Memory growth"),
    "metric.memory_growth.means": _l(
        "Slope of resident memory after the warm-up, in bytes per minute and agent."
    ),
    "metric.memory_growth.own_metrics": _l("least-squares slope of process RSS"),
    "metric.memory_growth.prometheus": _l(
        "least-squares slope (deriv) of otelcol_process_memory_rss"
    ),
    "metric.latency_p95": _l("Latency P95"),
    "metric.latency_p95.means": _l(
        "95th percentile of export latency in milliseconds; without an export latency, of "
        "the time that batches take to send."
    ),
    "metric.latency_p95.own_metrics": _l(
        "from the buckets of all agents' latency histograms together"
    ),
    "metric.latency_p95.prometheus": _l("mean over agents of histogram_quantile(0.95, ...)"),
    "metric.data_continuity": _l("Data continuity"),
    "metric.data_continuity.means": _l(
        "Share of the data received that is sent on or waits in a queue, against the same "
        "agents before: 1 means nothing is lost that was not lost before."
    ),
    "metric.data_continuity.own_metrics": _l(
        "(sent + growth of queue) / received, of the signal that fares worst"
    ),
    "metric.data_continuity.prometheus": _l(
        "sent / received from the otelcol_receiver_* and otelcol_exporter_* counters, of "
        "the signal that fares worst"
    ),
    "metric.component_health": _l("Component health"),
    "metric.component_health.means": _l(
        "Share of the agents with the new version in whose health tree a component is not "
        "well that was well before: an exporter without a connection in a collector that "
        "runs."
    ),
    "metric.component_health.opamp": _l(
        "agents with a component that is not well, after their grace / offered"
    ),
}

WORDS: dict[str, Sentence] = {
    "metric.unit_fraction": _l("per cent"),
    "metric.unit_count": _l("a whole number"),
    "metric.unit_none": _l("as given"),
    "metric.own_metrics": _l("own metrics"),
    "metric.lower_is_worse": _l("lower is worse"),
    "metric.higher_is_worse": _l("higher is worse"),
}

TITLES: dict[str, Sentence] = {
    "title.export_failures": _l("Export failures"),
    "title.failed_agents": _l("Failed agents"),
    "title.of_guard": _l("{title} ({guard})"),
    "title.default_guard": _l("{title} (default)"),
    "title.dry_run": _l("{title}, dry run"),
}
