"""What needs a person, in words. Read by `console.words.tables`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from console.lib.texts import Sentence

Params = Mapping[str, Any]


def _counted(say: Callable[[int], str]) -> Sentence:
    return lambda params: say(int(params["count"])).format_map(params)


NEEDS: dict[str, Sentence] = {
    "needs.rolling_back": _l("{number} rolls back by itself: {version}"),
    "needs.rolled_back": _l("{number} rolled back by itself: {version}"),
    "needs.rolled_back_incomplete": _l(
        "{number} rolled back by itself, and some agents are not back: {version}"
    ),
    "needs.and_quarantined": _l("{reason} {version} is quarantined."),
    "needs.not_back": _l("Some agents are not back: {what}"),
    "needs.rejected": _l("{number} was rejected by {by} and is paused"),
    "needs.expired": _l("{number} is paused: nobody answered the question in time"),
    "needs.paused": _l("{number} was paused by {by}"),
    "needs.holding": _l("{number}: {why}"),
    "needs.expiring": _l("The question about {phase} of {number} expires"),
    "needs.expiring.then": _l("The rollout pauses when nobody answers."),
    "needs.tick_error": _l("The engine cannot go on with {number}"),
    "needs.rollback_tick_error": _l("The engine cannot go on with the rollback: {what}"),
    "needs.quarantined": _l("{version} is quarantined for the whole fleet"),
    "needs.refused_version": _counted(
        lambda n: ngettext(
            "{count:,} agent refused {version} and runs another version",
            "{count:,} agents refused {version} and run another version",
            n,
        )
    ),
    "needs.refused_version.then": _l("It is not offered to them again until a person lifts that."),
    "needs.wedged": _l("{agent} refuses every config"),
    "needs.wedged.since": _l("since it met {version}: its stored config must be removed by hand."),
    "needs.at_the_door": _counted(
        lambda n: ngettext(
            "{count:,} agent is refused at the door",
            "{count:,} agents are refused at the door",
            n,
        )
    ),
    "needs.engine_late": _l("The engine is late: nobody looks at {number}"),
    "needs.engine_late.then": _l(
        "Nothing advances and nothing rolls back. Look whether worker and beat run."
    ),
    "needs.no_gateway": _l("No gateway runs: no agent can connect"),
    "needs.no_gateway.then": _l("Agents keep what they run and come back by themselves."),
    "needs.agents_away": _counted(
        lambda n: ngettext(
            "{count:,} of {total:,} agents is offline",
            "{count:,} of {total:,} agents are offline",
            n,
        )
    ),
    "needs.agents_away.then": _l("Rollouts go on without them while a quorum answers."),
    "needs.agents_late": _counted(
        lambda n: ngettext(
            "{count:,} of {total:,} agents is late with its heartbeat",
            "{count:,} of {total:,} agents are late with their heartbeat",
            n,
        )
    ),
    "needs.agents_late.then": _l(
        "They count as connected until their gateway gives them up. Look whether it and the network keep up."
    ),
    "needs.gone": _l("This does not need anybody any more. Nothing was done."),
    "needs.changed": _l("This has changed since you looked: {now} Nothing was done."),
    "needs.long_note": _l("A note has at most {most} characters."),
}
