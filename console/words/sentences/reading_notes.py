"""What a reading was compared with and made from, and why there is none: notes of gates. Read by
`console.words.tables`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from console.lib.texts import Sentence
from console.words.times import spans


def _group_it(params: Mapping[str, Any]) -> str:
    label = params["label"] or _("a label")
    return _("to compare with a control group, group the query by {label}").format(label=label)


NOTES: dict[str, Sentence] = {
    "reading.answered": _l("{answered:,} of {offered:,} agents have answered"),
    "cohort.before": _l("the same agents before"),
    "cohort.control": _l("agents that do not change now"),
    "compare.few_controls": _l(
        "{count} agents to compare with are too few; against themselves before"
    ),
    "compare.idle_controls": _l("the agents to compare with use no CPU; against themselves before"),
    "compare.with_controls": _l("against {count} agents that do not change now"),
    "condition.ranges_cut": spans(
        _l("ranges cut to {seconds}: what was before the change does not count"), "seconds"
    ),
    "condition.too_early": spans(
        _l(
            "it looks {reach} back, and the new version runs for {runs}; what was "
            "before does not count"
        ),
        *("reach", "runs"),
    ),
    "cpu.no_readings": _l("no agent has CPU readings both before and after the change"),
    "cpu.too_little": _l("{count} agents with so few readings are too little to compare"),
    "errors.not_counted": _l("the agents do not count error log records"),
    "flow.dried_up": _l("nothing arrives any more, {before:.0f} came before"),
    "flow.less_failed_anyway": _l("less the share that failed anyway"),
    "flow.no_data": _l("no data flowed through the agents"),
    "flow.nothing_exported": _l("nothing was exported after the change"),
    "flow.nothing_to_compare": _l("nothing was exported to compare with; taken as it is"),
    "flow.of_share_before": _l("of the share sent on before"),
    "flow.of_what_arrives": _l("of what arrives"),
    "latency.less": _l("less {ms:.4g} ms"),
    "latency.none_in_prometheus": _l(
        "no export latency (collectors have it at metrics level detailed)"
    ),
    "latency.not_reported": _l(
        "the agents report no export latency (metrics level detailed has it)"
    ),
    "latency.nothing_to_compare": _l("no export latency to compare with"),
    "memory.few_readings": _l("too few memory readings after the change"),
    "memory.few_to_compare": _l("too few memory readings to compare with"),
    "own_metrics.none": _l("the agents send no own metrics"),
    "own_metrics.none_since_change": _l("the agents send no own metrics since the change"),
    "own_metrics.none_since_warm_up": _l("no own metrics since the warm-up after the change yet"),
    "own_metrics.old": spans(_l("the newest own metrics are {seconds} old"), "seconds"),
    "own_metrics.still": _l("{still} of {due} agents that sent own metrics before still do"),
    "prometheus.bad_url": _l("PROMETHEUS_URL cannot be used: {error}"),
    "prometheus.infinite": _l("the query gives an infinite value: something is divided by zero"),
    "prometheus.knows_none": _l("Prometheus knows none of the agents that run the new version"),
    "prometheus.no_answer": _l("Prometheus gives no answer: {error}"),
    "prometheus.no_json": _l("Prometheus answered {status} and no JSON of its API"),
    "prometheus.no_metric": _l("Prometheus has no metric {names}, under no name known for it"),
    "prometheus.nobody_to_ask": _l("PROMETHEUS_URL is not set, so nobody can be asked"),
    "prometheus.not_set": _l("PROMETHEUS_URL is not set"),
    "prometheus.out_of_time": spans(
        _l("the queries before it took longer than {seconds}"), "seconds"
    ),
    "prometheus.partial": _l("the answer is partial: {warning}"),
    "prometheus.refuses": _l("Prometheus refuses the query: {error}"),
    "prometheus.too_few_agents": _l("{count} agents are too few to compare through Prometheus"),
    "prometheus.too_many_series": _l("the query gives {count:,} series; at most {most:,} are read"),
    "prometheus.too_soon": _l("no agent has run the new version long enough yet"),
    "prometheus.unreadable": _l("the answer cannot be read: {error}"),
    "prometheus.wrong_kind": _l("the query gives a {kind}; a vector or a number is expected"),
    "query.gave_nothing_before": _l("the query gave nothing before"),
    "query.gives_nothing": _l("the query gives nothing"),
    "query.knows_no": _l("the query knows no {whom}"),
    "query.knows_none_on_new": _l("the query knows none of the agents that run the new version"),
    "query.knows_strangers": _l(
        "the query knows no agent: its {given} series speak of strangers; group it by a "
        "label that names agents ({labels}), or aggregate it to one value"
    ),
    "query.many_values": _l(
        "the query gives {count} values; aggregate it to one, or group it by a label that "
        "names agents"
    ),
    "reading.as_a_whole": _l("it names no agent: it speaks for the rollout as a whole"),
    "reading.as_difference": _l("as a difference"),
    "reading.less_that_of": _l("less that of {whom}"),
    "reading.newest_old": spans(_l("the newest sample is {seconds} old"), "seconds"),
    "reading.no_components": _l("no agent with the new version reports its components"),
    "reading.nobody_has_new": _l("no agent has the new version yet"),
    "reading.nobody_offered": _l("no agent was offered the version yet"),
    "reading.nobody_on_new": _l("no agent runs the new version yet"),
    "reading.others": _l("{count} series speak of agents without the new version"),
    "reading.samples_still": _l("{still} of {had} agents that had samples before still do"),
    "reading.strangers": _l("{count} series speak of strangers"),
    "reading.taken_for_all": _l("counted on {read:,} of {in_all:,} agents and taken for all"),
    "reading.warm_up": spans(_l("the first {seconds} after each change left out"), "seconds"),
    "reading.against": _l("against {whom}"),
    "reading.of_signal": "{signal}: {note}",
    "signal.spans": _l("spans"),
    "signal.metric_points": _l("metric points"),
    "signal.log_records": _l("log records"),
    "reading.sick": _l("unhealthy: {components}"),
    "reading.sick_component": "{component} ({agents})",
    "reading.no_samples_any_more": _l("these agents have no samples any more"),
    "reading.knows_none": _l("it knows none of the agents"),
    "reading.less_before": _l("less {value:.4g} before"),
    "query.group_it_to_compare": _group_it,
    "prometheus.away_since": _l("Prometheus gives no answer since {since}"),
    "condition.asked": _l("asked {parts}"),
    "condition.asked_for": _l("{names} for {metric}"),
}
