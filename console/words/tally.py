"""What became of the agents of a phase, each kind counted apart, for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from console.lib.texts import Sentence
from rollouts.engine.facts import Counts


def failed_parts(counts: Counts) -> list[str]:
    """Return "3 refused", "1 fell back by itself": each way to fail that occurred, also of those
    that are back since."""
    counts = counts.told
    fell_back = ngettext(
        "%(n)d fell back by itself", "%(n)d fell back by themselves", counts.fell_back
    )
    parts = (
        (counts.refused, _("%(n)d refused")),
        (counts.silent, _("%(n)d did not answer")),
        (counts.fell_back, fell_back),
        (counts.lost, _("%(n)d lost")),
        (counts.unhealthy, _("%(n)d unhealthy")),
    )
    return [words % {"n": number} for number, words in parts if number]


def told(kept: Mapping[str, Any]) -> str:
    """Return "18 of 20 run it, 2 refused" from the counts kept with an event."""
    counts = Counts.from_dict({name: n for name, n in kept.items() if isinstance(n, int)})
    first = _("%(n)d of %(m)d run it") % {"n": counts.on_new, "m": counts.members}
    return ", ".join([first, *failed_parts(counts)])


def _agents(params: Mapping[str, Any]) -> str:
    return ngettext("{count:,} agent", "{count:,} agents", params["count"]).format_map(params)


def _fell_back(params: Mapping[str, Any]) -> str:
    return ngettext(
        "{count:,} fell back by itself", "{count:,} fell back by themselves", params["count"]
    ).format_map(params)


TALLY: dict[str, Sentence] = {
    "tally.agents": _agents,
    "tally.refused": _l("{count:,} refused"),
    "tally.silent": _l("{count:,} did not answer in time"),
    "tally.fell_back": _fell_back,
    "tally.lost": _l("{count:,} lost since the change"),
    "tally.unhealthy": _l("{count:,} unhealthy"),
    "tally.not_answered": _l("{count:,} not answered yet"),
    "tally.gone": _l("{count:,} not heard of now"),
    "tally.offline": _l("{count:,} offline"),
}


def gates_and_guards(gates: int, guards: int) -> str:
    """Count gates, which must pass, and guards, which are watched, apart: `2 gates and 1 guard`."""
    of_gates = ngettext("%(n)d gate", "%(n)d gates", gates) % {"n": gates}
    of_guards = ngettext("%(n)d guard", "%(n)d guards", guards) % {"n": guards}
    if gates and guards:
        return _("%(gates)s and %(guards)s") % {"gates": of_gates, "guards": of_guards}
    return of_guards if guards else of_gates
