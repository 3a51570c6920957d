"""What is wrong with plans, queries and files of documents. Read by `console.words.tables`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import pgettext

from console.lib.texts import Sentence, Template


def _not_one(params: Mapping[str, Any]) -> str:
    if not params["found"]:
        return _("one plan is expected, nothing is here")
    return _("one plan is expected, {found} is here").format_map(params)


def _no_such_compare(params: Mapping[str, Any]) -> str:
    can = _(" or ").join(str(params["can"]).split(", "))
    return _('compare "{read}" cannot be had for this metric; write {can}').format_map(
        {**params, "can": can}
    )


def _with_kind(sentence: Template) -> Sentence:
    """Return a sentence whose `kind` is what an expression gives, put as a word."""

    def say(params: Mapping[str, Any]) -> str:
        words = {
            "number": pgettext("of PromQL", "number"),
            "text": pgettext("of PromQL", "text"),
            "range": pgettext("of PromQL", "range"),
            "vector": pgettext("of PromQL", "vector"),
        }
        return sentence.format_map({**params, "kind": words[params["kind"]]})

    return say


PLANS: dict[str, Sentence] = {
    "field.empty": _l("{key} is empty"),
    "plan.not_one": _not_one,
    "plan.nothing_to_test": _l("no phases, no thresholds and no triggers; nothing would be tested"),
    "plan.no_phases": _l("phases (an empty list) does nothing; write at least one phase"),
    "plan.too_many_phases": _l("phases has {found} phases; at most {most} are read"),
    "plan.phase_named_twice": _l(
        'name "{name}" is given to two phases; name each phase differently'
    ),
    "plan.empty_phase_name": _l("name is empty; leave it out to name the phase by its weight"),
    "plan.shrinks": _l(
        "weight {weight} is less than {before} had before it ({had}); "
        "weights add up, write at least {had}"
    ),
    "plan.wrong_selector_at": _l("{key} {read} is wrong at character {at}: {what}"),
    "plan.history_is_kept": _l("preserve_history false is not possible; history is always kept"),
    "plan.guard_off_without_reason": _l(
        "{name} is turned off without a reason; write reason: and why"
    ),
    "plan.trigger_named_twice": _l('name "{name}" is given to two triggers'),
}

GATES: dict[str, Sentence] = {
    "plan.metric_twice": _l('metric "{metric}" is given twice in this phase'),
    "plan.no_level": _l("{metric} has no level; write warning, critical or both"),
    "plan.unknown_metric": _l(
        'metric "{metric}" is not known; known are {known}; '
        "a metric of your own needs its PromQL as query"
    ),
    "plan.mistyped_metric": _l(
        'metric "{metric}" is not known; did you mean {near}? '
        "a metric of your own needs its PromQL as query"
    ),
    "plan.wrong_at": _l("{key} is wrong at {what}"),
    "plan.no_such_compare": _no_such_compare,
    "plan.levels_swapped": _l(
        "warning {warning} comes after critical {critical}; a warning is reached first, swap them"
    ),
    "plan.no_source": _l("{read} names no source"),
}

PROMQL: dict[str, Sentence] = {
    "promql.at": _l("line {line}, column {column}: {what}"),
    "promql.too_long": _l("it is longer than {most:,} characters"),
    "promql.empty": _l("it is empty"),
    "promql.always_true": _l(
        "it gives a number, so it would always be true; compare a metric with it"
    ),
    "promql.no_condition": _with_kind(
        _l("it gives a {kind}; a condition compares what a function makes of it")
    ),
    "promql.no_value": _with_kind(
        _l("it gives a {kind}, not a value; use a function such as rate")
    ),
    "promql.never_closed": _l("{read} is never closed"),
    "promql.closes_nothing": _l("{read} closes nothing"),
    "promql.too_early": _l("it ends too early"),
    "promql.no_metric_name": _l("{read} is not a metric name"),
    "promql.no_label_name": _l("{read} is not a label name"),
    "promql.unexpected": _l("{read} is not expected here"),
}

DOCUMENTS: dict[str, Sentence] = {
    "document.twice": _l("{kind} {name} is given twice"),
    "document.in_two_files": _l("{kind} {name} is given twice, first in {first}"),
    "document.collector_not_alone": _l(
        "a collector configuration stands alone in its file; beside other documents write "
        "config: {{name: ..., body: ...}}"
    ),
    "document.unknown_kind": _l(
        "the kind of this document is not known; its top-level key is selectors, phases, config, "
        "or a section of a collector"
    ),
    "document.config_no_name": _l(
        "this config has no name; write config: {{name: ..., body: ...}} or upload it alone"
    ),
    "document.selector_twice": _l("selector stands beside its own keys; write one or the other"),
    "document.plan_no_name": _l("the plan has no name; write name: ..."),
    "document.body_of": _l("{file} (body of config {name})"),
    "document.in_the_body": _l("in the body: {what}"),
    "config.one_line": _l(
        "The body came as one line: its line breaks were stripped, as curl -d @file does. "
        "Send the file with curl --data-binary @file."
    ),
    "config.too_large": _l("The config has {size:,} bytes; at most {most:,} are taken."),
    "config.empty": _l("The config is empty; an empty config would stop a collector."),
    "config.not_a_mapping": _l(
        "The config is not a mapping of sections such as receivers and service."
    ),
}
