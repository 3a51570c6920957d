"""The page of metrics, docs/metrics.md, made from the catalogue and its words."""

from __future__ import annotations

from rollouts.analysis.catalogue import CATALOGUE, SOURCE_WORDS
from rollouts.analysis.sources.prometheus_queries import queries_of

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


def as_markdown() -> str:
    """Return docs/metrics.md, in the language that is active now."""
    parts = [_HEAD]
    for metric in CATALOGUE.values():
        facts = [f"unit: {metric.unit}", str(metric.direction)]
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
