"""Why an act on a rollout, a rollback or their limits was not done. Read by `console.words.tables`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from console.lib.texts import Sentence, Template
from console.words.event_sentences import did
from console.words.states import ROLLOUT
from console.words.times import exact_span


def _with_state(sentence: Template) -> Sentence:
    """Return a sentence whose `state` is one of a rollout, put as a word of the reader's language."""
    return lambda params: sentence.format_map(
        {**params, "state": ROLLOUT[str(params["state"])].word}
    )


def _last_act(params: Mapping[str, Any]) -> str:
    what = did(str(params["act"]), str(params["phase"]), params["inputs"])
    ago = exact_span(float(params["seconds"]))
    return _("{actor}, {ago} ago: {what}").format_map({**params, "what": what, "ago": ago})


def _fleet_changed(params: Mapping[str, Any]) -> str:
    return _(
        "The fleet changed since the preview: {more} agents more, {fewer} fewer, "
        "{gone} members of its first phases are away. "
        "Look at the new preview and start again. Nothing was done."
    ).format_map(params)


def _on_their_way(params: Mapping[str, Any]) -> str:
    return ngettext(
        "{agents:,} agent is on the way back already ({names}); wait for that to end.",
        "{agents:,} agents are on the way back already ({names}); wait for that to end.",
        params["agents"],
    ).format_map(params)


def _count_changed(params: Mapping[str, Any]) -> str:
    return ngettext(
        "{now:,} agent would go back now, you saw {seen:,}. Nothing was done.",
        "{now:,} agents would go back now, you saw {seen:,}. Nothing was done.",
        params["now"],
    ).format_map(params)


def _moves_changed(params: Mapping[str, Any]) -> str:
    return ngettext(
        "{now:,} agent would go back, but to other versions than you saw. Nothing was done.",
        "{now:,} agents would go back, but from or to other versions than you saw. "
        "Nothing was done.",
        params["now"],
    ).format_map(params)


def _none_can(params: Mapping[str, Any]) -> str:
    return ngettext(
        "None of {agents:,} agent can go back: {problems}.",
        "None of {agents:,} agents can go back: {problems}.",
        params["agents"],
    ).format_map(params)


def _nothing_before(params: Mapping[str, Any]) -> str:
    return ngettext(
        "None of the {agents:,} agent that match has anything to go back to.",
        "None of the {agents:,} agents that match has anything to go back to.",
        params["agents"],
    ).format_map(params)


def _took(params: Mapping[str, Any]) -> str:
    return ngettext(
        "a rollback by selector took {agents:,} agent of it: {reason}",
        "a rollback by selector took {agents:,} agents of it: {reason}",
        params["agents"],
    ).format_map(params)


def _lifts(params: Mapping[str, Any]) -> str:
    if not params["reason"]:
        return _("retry of {number}").format_map(params)
    return _("retry of {number}: {reason}").format_map(params)


REASONS: dict[str, Sentence] = {
    "reason.rolling_back": _l("Say why: rolling back needs a reason."),
    "reason.rejecting": _l("Say why: rejecting needs a reason."),
    "reason.advancing": _l("Say why: advancing needs a reason."),
    "reason.aborting": _l("Say why: aborting needs a reason."),
    "reason.waiving": _l("Say why: overriding a gate needs a reason."),
    "reason.budget": _l("Say why: a budget needs a reason."),
    "reason.deleting_budget": _l("Say why: deleting a budget needs a reason."),
    "reason.freeze_window": _l("Say why: a freeze window needs a reason."),
    "reason.deleting_freeze_window": _l("Say why: deleting a freeze window needs a reason."),
    "reason.guard": _l("Say why: a guard needs a reason."),
    "reason.deleting_guard": _l("Say why: deleting a guard needs a reason."),
    "reason.too_long": _l("The reason is longer than {most} characters."),
}

STATES: dict[str, Sentence] = {
    "gate.missing": _l("{rollout} has no gate {gate} in a phase that has begun."),
    "rollout.missing": _l("There is no rollout R-{number:04d}."),
    "rollout.not_started_now": _with_state(_l("{number} is {state}; it cannot be started now.")),
    "rollout.not_advanced_now": _with_state(_l("{number} is {state}; it cannot be advanced now.")),
    "rollout.not_edited_now": _with_state(
        _l("{number} is {state}; only a draft can be edited, so nothing was changed.")
    ),
    "rollout.not_discarded_now": _with_state(
        _l("{number} is {state}; only a draft can be discarded.")
    ),
    "rollout.not_aborted_now": _with_state(_l("{number} is {state}; it cannot be aborted now.")),
    "rollout.not_changed_now": _with_state(_l("{number} is {state}; it cannot be changed now.")),
    "rollout.not_resumed_now": _with_state(_l("{number} is {state}; it cannot be resumed now.")),
    "rollout.not_paused_now": _with_state(_l("{number} is {state}; it cannot be paused now.")),
    "stale.moved_on": _l("{what} Nothing was done."),
    "stale.somebody": _l("Somebody changed this."),
    "stale.last_act": _last_act,
    "phase.no_number": _l("{rollout} has no phase number {number}; it has {phases}."),
    "phase.missing": _l('{number} has no phase "{name}"; its phases are {names}.'),
}

PHASES: dict[str, Sentence] = {
    "advance.no_phase": _l("{number} has no phase that could be advanced now."),
    "advance.gate_red": _l("A gate is red: {gate} Waive it or roll back."),
    "approve.not_now": _l("{phase} cannot be approved now: {why}. Nothing was done."),
    "approve.moves_on": _l("the rollout moves on"),
    "approve.rejected": _l("{phase} rejected: {reason}"),
    "approve.not_waiting": _l("{phase} does not wait for approval now."),
    "approve.resume_first": _with_state(_l("{number} is {state}; resume it first.")),
    "approve.evidence_changed": _l(
        "The evidence changed since you looked. Look again. Nothing was done."
    ),
    "waive.not_watched": _l("{phase} is not watched now; only its gates can be overridden."),
    "waive.no_gate": _l('{phase} has no gate "{gate}".'),
    "waive.already": _l("{by} has overridden this gate already."),
}

STARTING: dict[str, Sentence] = {
    "draft.bad_when_busy": _l('when_busy is "{read}"; write one of {known}.'),
    "start.busy": _l("Not started: {blockers}. Wait for it, queue this one, or supersede it."),
    "start.not_ready": _l("Not started: {findings}"),
    "start.fleet_changed": _fleet_changed,
    "start.other_preview": _l("This is not the preview that you saw. Nothing was done."),
    "retry.still_runs": _l("{number} still runs; retry when it is over."),
    "retry.quarantined": _l(
        "{number} was rolled back, so v{version} is quarantined. "
        "Lift that with a reason and start a new rollout."
    ),
    "retry.nobody_failed": _l("No agent failed in {number}."),
    "retry.title": _l("Retry of {number}: {title}"),
    "retry.lifts": _lifts,
}

ROLLBACKS: dict[str, Sentence] = {
    "rollback.done_already": _l(
        "{number} has been rolled back already. A rollback is not rolled back: to give "
        "v{version} again, lift its quarantine with a reason and start a new rollout."
    ),
    "rollback.runs_already": _l("{number} is rolling back already."),
    "rollback.superseded": _l(
        "{number} was superseded by {other}; roll that one back, or by selector."
    ),
    "rollback.another": _l("another rollout"),
    "rollback.never_started": _l("{number} was never started; there is nothing to roll back."),
    "rollback.on_their_way": _on_their_way,
    "rollback.count_changed": _count_changed,
    "rollback.moves_changed": _moves_changed,
    "rollback.none_can": _none_can,
    "rollback.nothing_before": _nothing_before,
    "rollback.quarantines": _l("rolled back by {by}: {reason}"),
    "rollback.taken_out": _l("taken out by a rollback by selector"),
    "rollback.took": _took,
    "rollback.claimed": _l("{reason} (requested by {by})"),
}

SHARES: dict[str, Sentence] = {
    "share.bad_life": _l("A link opens for 5 minutes to {most} days."),
    "share.long_note": _l("The note is longer than {most} characters."),
    "share.not_started": _l("{number} was never started; there is nothing to show."),
    "share.too_many": _l("This rollout has {most} links that open already; revoke some first."),
    "share.missing": _l("There is no such link."),
}

LIMITS: dict[str, Sentence] = {
    "budget.no_label": _l("Name the label whose values are counted."),
    "budget.no_limit": _l("Give max_agents, max_share, or both."),
    "budget.none_may_change": _l("At least one agent must be able to change."),
    "budget.bad_share": _l("A share is more than 0% and at most 100%."),
    "budget.missing": _l('There is no budget for the label "{label}".'),
    "guard.bad_name": _l("Give the guard a name of up to 100 characters."),
    "guard.empty": _l("A guard needs thresholds or triggers."),
    "guard.missing": _l('There is no guard "{name}".'),
    "freeze_window.missing": _l('There is no freeze window "{name}".'),
    "freeze_window.bad_name": _l("Give the window a name of up to 100 characters."),
    "freeze_window.no_zone": _l(
        "Name the time_zone that these days are of, such as Europe/Berlin."
    ),
    "freeze_window.times_without_days": _l(
        "Times of day belong to weekdays; for a dated window write them into its ends."
    ),
    "freeze_window.no_ends": _l(
        "Give both starts_at and ends_at, or weekdays for a weekly window."
    ),
    "freeze_window.ends_before": _l("The window ends before it starts."),
    "freeze_window.bad_day": _l("Weekdays are 0 (Monday) to 6 (Sunday)."),
    "freeze_window.one_time": _l("Give both from_time and to_time, or neither for whole days."),
}

SAVED: dict[str, Sentence] = {
    "name.bad": _l(
        '"{read}" cannot be a name; use letters, digits, - and _, at most 100, '
        "such as edge-gateway."
    ),
    "name.taken_by_page": _l('"{read}" cannot be a name: a page of the console has that address.'),
    "config.long_message": _l("The message is longer than {most:,} characters."),
    "config.missing_named": _l('There is no config "{name}".'),
    "config.no_version": _l("{name} has no version {number}."),
    "config.no_version_at_all": _l("{name} has no version at all."),
    "plan.missing_named": _l('There is no plan "{name}".'),
    "plan.named_otherwise": _l('the file names the plan "{named}", but it is saved as "{name}"'),
    "plan.built_in": _l("{name} is a built-in plan; save yours under another name."),
}
