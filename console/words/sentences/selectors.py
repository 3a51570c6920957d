"""What is wrong with a selector, in its text form and in its YAML form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from console.lib.texts import Sentence


def _no_label(params: Mapping[str, Any]) -> str:
    if params["near"]:
        return _("No agent has the label {key}; did you mean {near}?").format_map(params)
    return _("No agent has the label {key}.").format_map(params)


def _no_status(params: Mapping[str, Any]) -> str:
    if params["near"]:
        return _('"{read}" is not a status; did you mean {near}? Known are {known}.').format_map(
            params
        )
    return _('"{read}" is not a status; known are {known}.').format_map(params)


def _no_such_config(params: Mapping[str, Any]) -> str:
    if params["near"]:
        return _("There is no config {name}; did you mean {near}?").format_map(params)
    return _("There is no config {name}.").format_map(params)


BOTH: dict[str, Sentence] = {
    "selector.terms": _l("A selector has at most {most} terms."),
    "selector.values": _l("A selector has at most {most:,} values."),
    "selector.bad_label": _l("This is not the name of a label."),
    "selector.bad_operand": "{what}.",
    "selector.no_version": _l('"{read}" is not a version; {operator} compares versions like 1.4.0'),
    "selector.bang_in_list": _l("Inside a list write {write} instead of !."),
    "selector.mistyped_capability": _l(
        '"{name}" is neither a component nor an OpAMP capability (did you mean {near}?); '
        "write a component as transform_processor, a capability as accepts_remote_config."
    ),
    "selector.unknown_capability": _l(
        '"{name}" is neither a component nor an OpAMP capability; '
        "write a component as transform_processor, a capability as accepts_remote_config."
    ),
    "selector.no_order": _l("{key} has no order; compare it with =, != or a pattern (~)."),
    "selector.no_status": _no_status,
    "selector.no_id": _l(
        '"{read}" is not the id of an agent; write the whole id, or the part you know as a pattern: '
        "id~0193*."
    ),
    "selector.no_config": _l(
        '"{read}" is neither a config nor one of its versions; write config=gateway or '
        "config=gateway@v3."
    ),
    "selector.no_such_config": _no_such_config,
    "selector.no_such_version": _l(
        "The config {name} has no version {number}; the newest is {newest}."
    ),
    "selector.config_not_here": _l(
        "config cannot be asked here; write labels, name, id or status."
    ),
    "selector.nobody_has": _no_label,
    "selector.not_saved": _l("There is no saved selector named {name}."),
    "selector.circle": _l("The selector refers to itself by @{name}."),
    "selector.not_saved_or_circle": _l(
        "There is no saved selector named {name}, or it refers to itself."
    ),
}

TEXT_FORM: dict[str, Sentence] = {
    "selector.empty": _l("The selector is empty; write * for every agent."),
    "selector.too_long": _l("The selector has {size:,} characters; at most {most:,} are read."),
    "selector.star_and_more": _l("* is every agent; remove it or the rest."),
    "selector.the_end": _l("the end"),
    "selector.no_joint": _l('Expected a comma or "or" before {token}.'),
    "selector.mixture": _l(
        'A selector is all of its terms (comma) or any of them ("or"), not a mixture; '
        "save one part under a name and refer to it as @name."
    ),
    "selector.bang_on_label": _l("Write {key}!=... or {key} notin (...) instead of !."),
    "selector.bang_in_has": _l("Write !has(...) instead of a negation inside."),
    "selector.no_saved_name": _l("The name of a saved selector goes after @, such as @edge-eu."),
    "selector.no_label": _l("A label is missing here."),
    "selector.no_label_after_comma": _l("A label is missing after the comma."),
    "selector.reserved": _l('{word} is a word of the language; quote it as "{word}".'),
    "selector.no_parenthesis": _l("The values follow in parentheses: region in (a,b)."),
    "selector.list_goes_on": _l("Expected a comma or ) here."),
    "selector.not_closed": _l("Expected ) here."),
    "selector.no_value": _l("A value is missing here."),
    "selector.pattern_or_quotes": _l("For a pattern write ~{text}; for the text itself, quotes."),
    "selector.no_regex": _l("=~ is not an operator here; write a pattern as name~eu-*."),
    "selector.no_text": _l("This is not text."),
    "selector.bad_escape": _l('Inside quotes write \\" for a quote and \\\\ for a backslash.'),
    "selector.quote_open": _l("This quote is not closed."),
    "selector.single_quote": _l("Quote with \" instead of '."),
    "selector.no_operator": _l('Write a comma for "and", or the word or.'),
}

YAML_FORM: dict[str, Sentence] = {
    "selector.no_mapping": _l("A selector is text or a mapping with labels, capabilities or all."),
    "selector.unknown_key": _l("{key} is not a key of a selector; they are {known}."),
    "selector.empty_yaml": _l("The selector is empty; write all: true for every agent."),
    "selector.all_is_true": _l("Write all: true, or leave it out."),
    "selector.all_and_more": _l("all: true is every agent; remove it or the rest."),
    "selector.bad_match": _l("match is all or any, not {read}."),
    "selector.labels_no_mapping": _l("labels is a mapping such as {{env: prod}}."),
    "selector.bad_values": _l("Write a value, a list of values, or {{notin: [...]}}."),
    "selector.no_list": _l("A list of values goes here."),
    "selector.empty_values": _l("The list is empty; name at least one value."),
    "selector.empty_capabilities": _l("The list is empty; name at least one capability."),
    "selector.empty_list": _l("The list is empty; name at least one."),
    "selector.pattern": _l("For a pattern write ~{text}."),
    "selector.lost_digit": _l('{read} is a number and may have lost a digit; quote it: "{read}".'),
    "selector.empty_value": _l("This is empty; to ask for any value use exists: [...]."),
    "selector.single_value": _l("A single value goes here."),
    "selector.text_too_long": _l("This is not text of at most {most:,} characters."),
    "selector.bad_capability": _l("Write an attribute and its version, or a name."),
    "selector.negated_value": _l('Write "!{name}" as the key instead of a negated value.'),
    "selector.bad_saved_name": _l("This is not the name of a saved selector."),
}
