"""What a gate says to a tired person: its sentence, and why a reading has no value. Read by
`console.words.tables`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from console.lib.texts import Sentence, Template
from console.words.times import exact_span, kept_moment

Params = Mapping[str, Any]


def _since(sentence: Template) -> Sentence:
    """Return a sentence of a trigger: since when its condition is true, after how long it acts."""

    def told(params: Params) -> str:
        since, seconds = kept_moment(params["since"]), exact_span(float(params["seconds"]))
        return sentence.format_map({**params, "since": since, "seconds": seconds})

    return told


def _no_data(params: Params) -> str:
    told = {**params, "since": kept_moment(params["since"])}
    if not params["why"]:
        return _("{gate} has no data since {since}.").format_map(told)
    why = str(params["why"]).rstrip(".")
    return _("{gate} has no data since {since} ({why}).").format_map({**told, "why": why})


def _of_source(params: Params) -> str:
    note, source = str(params["note"]), str(params["source"])
    return note if note.startswith(source) else f"{source}: {note}"


SENTENCES: dict[str, Sentence] = {
    "gate.no_data": _no_data,
    "gate.no_reading": _l("{gate} has no reading yet."),
    "gate.judged": _l("{gate} is {value}, {judged} ({behind})."),
    "gate.must_be": _l("it must be {wanted}"),
    "gate.must_be_but": _l("it must be {wanted}; {missing}"),
    "gate.had_to_be": _l("it had to be {wanted}; the phase was decided before its window was full"),
    "gate.uncertain": _l("too uncertain to say whether it is {wanted}"),
    "gate.as_it_must_be": _l("as it must be: {wanted}"),
    "gate.below": _l("below {limit}"),
    "gate.at_most": _l("at most {limit}"),
    "gate.above": _l("above {limit}"),
    "gate.at_least": _l("at least {limit}"),
    "gate.equal_to": _l("equal to {limit}"),
    "gate.other_than": _l("other than {limit}"),
    "gate.below_critical": _l("at or below {level}, where it acts"),
    "gate.above_critical": _l("at or above {level}, where it acts"),
    "gate.below_warning": _l("at or below {level}, where it warns"),
    "gate.above_warning": _l("at or above {level}, where it warns"),
    "gate.within_levels": _l("within its levels"),
    "gate.between": _l("between {low} and {high}"),
    "gate.window_not_begun": _l("its window begins when the phase is sent"),
    "gate.too_few_agents": _l("{agents:,} of {of:,} agents that it takes are behind it"),
    "gate.too_few_readings": _l("{readings:,} of {of:,} readings of its window are in"),
    "gate.newest_awaited": _l("the newest reading is awaited"),
    "trigger.not_true": _l("{gate}: the condition is not true."),
    "trigger.held": _since(_l("{gate}: the condition held for {seconds}, true since {since}.")),
    "trigger.pending": _since(
        _l("{gate}: the condition is true since {since}; it acts after {seconds}.")
    ),
}

READINGS: dict[str, Sentence] = {
    "reading.of_source": _of_source,
    "reading.no_source": _l("no source of it is set up (asked for: {names})"),
    "reading.failed": _l("it cannot be read; the log of the worker says why"),
    "reading.not_finite": _l("the result is no finite number"),
}
