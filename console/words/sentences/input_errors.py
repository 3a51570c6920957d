"""What is wrong with what people write: values, fields, YAML, addresses. Read by `console.words.tables`.

`{read}` is what was read, shown by `console.lib.durations.shown`; each sentence of a value reads on
from the name of its field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from console.lib.texts import Sentence
from console.words.times import spans


def _one_of(params: Mapping[str, Any]) -> str:
    if not params["most"]:
        return _("{read} is not known; write {last}").format_map(params)
    return _("{read} is not known; write {most} or {last}").format_map(params)


def _first_of_more(params: Mapping[str, Any]) -> str:
    return ngettext(
        "{path}: {what} (and {count} more)", "{path}: {what} (and {count} more)", params["count"]
    ).format_map(params)


VALUES: dict[str, Sentence] = {
    "value.empty": _l("(empty)"),
    "value.a_list": _l("(a list)"),
    "value.a_mapping": _l("(a mapping)"),
    "value.also": "{one}; {other}",
    "value.then": "{one} {other}",
    "value.either": _l("{one} or {other}"),
    "value.no_unit": _l("{read} has no unit; write {write}"),
    "value.wrong_unit": _l("{read} has the wrong unit; write it like {like}"),
    "value.no_duration": _l("{read} is not a duration; write it like 90s, 15m, 1h30m or 7d"),
    "value.units_out_of_order": _l(
        "{read} has its units out of order; write each once, the largest first, like 1h30m"
    ),
    "value.duration_too_long": _l("{read} is longer than {most}; write a shorter duration"),
    "value.too_short": _l("{read} is too short; write at least {least}"),
    "value.no_share": _l("{read} is not a share; write it like 10%"),
    "value.more_than_all": _l("{read} is more than everything; write at most 100%"),
    "value.percent_meant": _l("{read} is more than everything; write {write}"),
    "value.nothing": _l("{read} is nothing; write more than 0%"),
    "value.no_amount": _l("{read} is not an amount; write it like {like}"),
    "value.no_text": _l("{read} is not text; put it in quotes"),
    "value.text_too_long": _l("{read} is longer than {most:,} characters"),
    "value.no_flag": _l("{read} is neither true nor false"),
    "value.no_whole_number": _l("{read} is not a whole number; write it like {like}"),
    "value.out_of_bounds": _l("{read} is out of bounds; write {least} to {most:,}"),
    "value.unknown_word": _one_of,
    "value.no_prometheus_label": _l("{read} is not a label of Prometheus; write it like host_name"),
}

FIELDS: dict[str, Sentence] = {
    "field.only": "{path}: {what}",
    "field.first_of_more": _first_of_more,
    "field.wrong": "{key} {what}",
    "field.no_mapping": _l("{read} is not a mapping of keys and values"),
    "field.no_list": _l("{key} {read} is not a list"),
    "field.missing": _l("{key} is missing"),
    "field.mistyped_key": _l("{key} is not a known key; did you mean {near}?"),
    "field.unknown_key": _l("{key} is not a known key; they are {known}"),
}

YAML: dict[str, Sentence] = {
    "yaml.on_line": _l("line {line}: {what}"),
    "yaml.none": _l("this is not YAML"),
    "yaml.tab": _l("{what}; a tab cannot indent YAML, use spaces"),
    "yaml.second_document": _l("a second document begins here; only one is expected"),
    "yaml.too_large": _l("the text has {size:,} bytes; at most {most:,} are read"),
    "yaml.nul": _l("a NUL character is not text"),
    "yaml.not_utf8": _l("this is not UTF-8 text; save the file as UTF-8"),
    "yaml.control_character": _l("control character {character} is not allowed"),
    "yaml.surrogate": _l("a lone surrogate is not text"),
    "yaml.key_is_no_text": _l("a key must be plain text"),
    "yaml.key_twice": _l('key "{key}" is given twice; it is first on line {line}'),
    "yaml.too_deep": _l("this is nested too deep"),
    "yaml.deeper_than": _l("this is nested more than {most} deep"),
    "yaml.aliases": _l("more than {most} aliases are used"),
    "yaml.no_anchor": _l("alias *{name} has no finished anchor &{name} before it"),
    "yaml.values": _l("more than {most:,} values are here"),
    "yaml.long_number": _l("this number is too long; put it in quotes"),
    "yaml.bad_merge": _l("<< takes a mapping or a list of mappings"),
    "yaml.not_of_tag": _l('"{read}" is not a value of !!{kind}'),
    "yaml.unknown_tag": _l("tag {tag} is not read; remove it"),
}

TIMES: dict[str, Sentence] = {
    "time.bad": "{what}.",
    "time.no_offset": _l("{read} says no offset and no time_zone is named; write one of them"),
    "time.zone_disagrees": _l("{read} and {zone} disagree: there it is {clock}; write one of them"),
    "time.no_zone": _l('"{read}" is no time zone; write one like Europe/Berlin'),
    "time.none": _l('"{read}" is not a time; write 2026-11-24T10:00+01:00'),
    "time.skipped": _l(
        "{read} is skipped by the clocks of {zone} on that day; "
        "write the offset too, such as 2026-03-29T03:00+02:00"
    ),
    "time.twice": _l(
        "{read} comes twice on that day in {zone}; "
        "write the offset too, such as 2026-03-29T03:00+02:00"
    ),
}

OUTBOUND: dict[str, Sentence] = {
    "outbound.no_answer": _l("{host} gave no answer: {error}"),
    "outbound.too_slow": spans(_l("{host} takes longer than {seconds}"), "seconds"),
    "outbound.not_resolved": _l("{host} cannot be resolved: {error}"),
    "outbound.inside": _l(
        "{host} is {address}, an address inside. "
        "An administrator can allow the host in OUTBOUND_ALLOW."
    ),
    "outbound.redirects": _l("{host} redirects ({status}); give the final URL"),
    "outbound.encoding": _l("{host} answers in an encoding that was not asked for"),
    "outbound.too_much": _l("{host} sends more than {most:,} bytes"),
    "outbound.no_url": _l("{url} is not a URL: {error}"),
    "outbound.scheme": _l("only http and https are used, not {scheme}"),
    "outbound.credentials": _l("a URL must not carry a user name or password"),
    "outbound.no_host": _l("{url} names no host"),
}
