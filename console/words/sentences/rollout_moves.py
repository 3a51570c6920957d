"""What the engine did and why: reasons of events, ways back, who stands in the way, and what became
of single agents. Read by `console.words.tables`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import pgettext_lazy

from console.lib.texts import Sentence
from console.words.times import spans

Params = Mapping[str, Any]


def _rolled_back_by(params: Params) -> str:
    found = _("rolled back by {by}").format_map(params)
    return f"{found}: {params['reason']}" if params["reason"] else found


def _outcome(params: Params) -> str:
    parts = [
        _("{confirmed:,} of {agents} confirmed."),
        _("{offline:,} offline: it waits for them.") if params["offline"] else "",
        _("{failed:,} refused it.") if params["failed"] else "",
        _("{timed_out:,} did not confirm in time.") if params["timed_out"] else "",
        _("{no_version:,} have no known-good version and were left alone.")
        if params["no_version"]
        else "",
        _("{skipped:,} were not sent back.") if params["skipped"] else "",
    ]
    return " ".join(part.format_map(params) for part in parts if part)


BUSY: dict[str, Sentence] = {
    "busy.holds": _l("{number} holds {agents} of this one"),
    "busy.same_config": _l("{number} is an active rollout of the same config"),
    "busy.this_moment": _l("another rollout started in this moment"),
    "busy.not_started": _l("Not started: {who}. Wait for it, queue this one, or supersede it."),
}

REASONS: dict[str, Sentence] = {
    "superseded.by": _l("superseded by {number}"),
    "approval.nobody_answered": _l("nobody answered whether {phase} may start, for 24 h"),
    "rest.joined": _l("{joined} agents came since the draft; they get it as the last wave"),
    "budget.of": _l("the blast-radius budget of {budgets}"),
    "who.policy": pgettext_lazy("who", "policy"),
    "rolled_back.by": _rolled_back_by,
    "rolled_back.again": _l("rolled back again: {reason}"),
    "wave.not_sent": _l("not sent: batch {wave} did not come back"),
    "wave.came_back": _l("batch {wave}: {confirmed} of {of} agents came back"),
    "wave.outcome": _outcome,
}

WAYS_BACK: dict[str, Sentence] = {
    "no_way.no_version": _l("no known-good version"),
    "no_way.not_stored": _l("the version before is not stored here"),
    "no_way.too_deep": _l(
        "its history ends, or goes back further than the limit of distinct versions"
    ),
    "no_way.refused": _l("it refused this version before"),
    "no_way.quarantined": _l("the version before is quarantined for it"),
    "rollback.nothing_wanted": _l(
        "No agent is wanted on v{version} by {rollout} any more; there is nothing to roll back."
    ),
    "rollback.others_active": _l("{names} is active on these agents or this config; end it first."),
    "rollback.to_quarantined": _l(
        "{hash} is quarantined for the whole fleet ({reason}); lift that with a reason first."
    ),
    "rollback.bad_goal": _l('"{read}" is not "previous", a version number or a SHA-256 in hex.'),
    "rollback.hash_unknown": _l("No config with hash {hash} is stored here."),
    "rollback.they_run": _l("these agents run versions of {names}"),
    "rollback.they_run_none": _l("they run none we know"),
    "rollback.whose_version": _l("Say with `config` whose version is meant: {what}."),
    "rollback.no_such_version": _l("{config} has no version {number}."),
}

TIMES: dict[str, Sentence] = {
    "took.detect": _l("from the start of the phase until the breach was seen"),
    "took.decide": _l("from the breach to the decision"),
    "took.restore_most": _l("from the decision until 99 % of those that came back had confirmed"),
    "took.restore": _l("from the decision until the last of them had confirmed"),
    "look.unanswered": spans(
        _l(
            "PostgreSQL did not answer a question within {seconds}, so the look was given up; "
            "nothing of it was kept, and it is tried again."
        ),
        "seconds",
    ),
}

TARGETS: dict[str, Sentence] = {
    "target.quarantined": _l("quarantined for this version"),
    "target.taken_over": _l("something else was offered to it meanwhile"),
    "target.silent": _l("did not confirm in time"),
    "target.no_reason": _l("gave no reason"),
    "target.gone": _l("not connected any more since the change"),
    "target.loses_it": _l("comes back without its config again and again"),
    "target.no_config": _l("says that it has no such config any more"),
    "target.fell_back": _l("fell back to {to} by itself"),
}
