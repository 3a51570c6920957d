"""The why line of a rollout (ui.md 4.6): its sentences, and its tone. Read by `console.words.tables`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from console.lib.texts import Sentence, Template
from console.words.numbers import percent

Params = Mapping[str, Any]


def tone(kept: Mapping[str, Any]) -> str:
    """Return the status token of the stylesheet for a kept line: run, ok, warn, bad, wait or off; ""
    when it says nothing. Lines kept before they were texts name their own."""
    say = kept.get("say")
    if isinstance(say, Mapping):
        return TONES.get(str(say.get("text")), "off")
    return str(kept.get("tone") or "")


TONES = {
    "why.starting": "run",
    "why.scheduled": "wait",
    "why.queued": "wait",
    "why.not_ready": "bad",
    "why.sending": "run",
    "why.budget": "wait",
    "why.confirming": "run",
    "why.nobody_left": "warn",
    "why.all_away": "wait",
    "why.quorum": "wait",
    "why.observing": "run",
    "why.failing_so_far": "warn",
    "why.warning": "warn",
    "why.failing": "bad",
    "why.a_gate_silent": "warn",
    "why.no_data": "warn",
    "why.too_few": "warn",
    "why.approval": "wait",
    "why.withdrawn": "warn",
    "why.frozen": "wait",
    "why.paused": "warn",
    "why.rejected": "warn",
    "why.unwell": "warn",
    "why.baking": "run",
    "why.rolling_back": "bad",
    "why.completed": "ok",
    "why.rollback_incomplete": "bad",
}


def _capital(sentence: Template) -> Sentence:
    """Return a sentence that begins with the name of a phase."""
    return lambda params: sentence.format_map({**params, "phase": capfirst(str(params["phase"]))})


def _on_new(params: Params) -> str:
    found = _("{on_new:,} of {members:,} agents run {version}").format_map(params)
    return f"{found}; {params['failures']}" if params["failures"] else found


def _completed(params: Params) -> str:
    found = _("Completed. {on_new}.").format(on_new=_on_new(params))
    if not params["late"]:
        return found
    late = ngettext(
        "{late:,} agent offline; it gets it on return.",
        "{late:,} agents offline; they get it on return.",
        params["late"],
    )
    return f"{found} {late.format_map(params)}"


def _came_back(sentence: Template) -> Sentence:
    return lambda params: f"{sentence} {params['note']}".strip()


def _left(sentence: Template) -> Callable[[Params], str]:
    return lambda params: sentence.format_map({"on_new": _on_new(params)})


def _superseded(params: Params) -> str:
    left = _("Superseded. {on_new}.").format(on_new=_on_new(params))
    return f"{left} {params['note']}".strip()


def _because(params: Params) -> str:
    reason = str(params["reason"]).rstrip(".")
    return _("Reason: {reason}. {then}").format_map({**params, "reason": reason})


def _quorum(params: Params) -> str:
    found = _("Holding: of {phase}, {run} now; {share} are needed{apart}.")
    return found.format_map({**params, "share": percent(float(params["share"]))})


def _passing(params: Params) -> str:
    """Count gates and guards apart; a line that was kept before guards were counted has none."""
    gates, guards = int(params["gates"]), int(params.get("guards", 0))
    both = {"guards": guards, "calm": 0, **params}
    of_gates = ngettext("{passing} of {gates} gate", "{passing} of {gates} gates", gates)
    of_guards = ngettext("{calm} of {guards} guard", "{calm} of {guards} guards", guards)
    if gates and guards:
        found = _("{of_gates} and {of_guards} pass so far.")
    elif gates:
        found = _("{of_gates} pass so far.")
    else:
        found = _("{of_guards} pass so far.") if guards else _("No gate has data.")
    told = {"of_gates": of_gates.format_map(both), "of_guards": of_guards.format_map(both)}
    return found.format_map(told)


def _observing(params: Params) -> str:
    found = _("Observing {phase}. {passing}").format_map({**params, "passing": _passing(params)})
    unseen = str(params["unseen"])
    return f"{found} {unseen[:1].upper()}{unseen[1:]}." if unseen else found


def _approval(params: Params) -> str:
    found = ngettext(
        "{phase} needs approval. {waiting:,} agent waits.",
        "{phase} needs approval. {waiting:,} agents wait.",
        params["waiting"],
    )
    return found.format_map({**params, "phase": capfirst(str(params["phase"]))})


def _paused(params: Params) -> str:
    found = _("Paused by {by}").format_map(params)
    return f"{found}: {params['reason']}" if params["reason"] else found


def _silent_gates(params: Params) -> str:
    return _("no data about: {titles}").format(titles=params["titles"])


def _may(params: Params) -> str:
    if not params["may"]:
        return _("none may")
    return _("at most {may:,} may").format_map(params)


def _allowed(sentence: Template) -> Sentence:
    return lambda params: sentence.format_map({**params, "allowed": _may(params)})


SAY: dict[str, Sentence] = {
    "why.draft": _l("Draft."),
    "why.discarded": _l("Discarded before its start; nothing was sent."),
    "why.completed": _completed,
    "why.rolled_back": _came_back(_l("Rolled back.")),
    "why.rollback_incomplete": _came_back(_l("Rollback incomplete.")),
    "why.stopped": _left(_l("Stopped and left as it is. {on_new}.")),
    "why.superseded": _superseded,
    "why.rolling_back": _l("Rolling back to {to}: {back:,} of {of:,} agents are back."),
    "why.starting": _l("Starting."),
    "why.scheduled": _l("Scheduled."),
    "why.queued": _l("Waiting for {held}."),
    "why.not_ready": _l("Not started: {blocks}"),
    "why.sending": _l("Sending to {phase}: {offered:,} of {members:,} offered."),
    "why.budget": _l("Sending to {phase}: {offered:,} of {members:,} offered. Held by {budget}."),
    "why.confirming": _l("Waiting for {outstanding} of {phase} to answer: {run} now{apart}."),
    "why.nobody_left": _l(
        "Holding: no agent is left in {phase}. {skipped} skipped, {rolled_back:,} rolled back."
    ),
    "why.all_away": _l("Holding: {away} of {phase}, all of them away."),
    "why.quorum": _quorum,
    "why.observing": _observing,
    "why.failing_so_far": _l("Observing {phase}. {gate}"),
    "why.warning": _l("Holding: {gate}"),
    "why.failing": "{gate}",
    "why.a_gate_silent": _l("Holding: a gate has no data."),
    "why.no_data": _l("Holding: {gate} No data is never good."),
    "why.too_few": _l("Holding: {gate}"),
    "why.approval": _approval,
    "why.withdrawn": _capital(_l("{phase} cannot be approved now. {gate}")),
    "why.frozen": _l("Outside the maintenance window: {window}."),
    "why.paused": _paused,
    "why.rejected": _capital(_l("{phase} rejected by {by}: {reason}")),
    "why.unwell": _l("Holding: {agents} reported bad health just after the change."),
    "why.baking": _l("Every phase passed. Watching a little longer, with rollback armed."),
    "why.finished": _l("Finished."),
}

NEXT: dict[str, Sentence] = {
    "why.draft.next": _l("Nothing is sent before somebody starts it."),
    "why.over.next": _l("Nothing more happens by itself."),
    "why.quarantined.next": _l(
        "{version} was quarantined: it is offered again only once a person has lifted that."
    ),
    "why.only_silence.next": _l(
        "Agents were silent or lost it, none refused it: {version} is not quarantined."
    ),
    "why.because": _because,
    "why.rolling_back.next": _l("Each agent is verified by the hash it reports."),
    "why.starting.next": _l("The first phase starts."),
    "why.scheduled.next": _l("It starts at the time given."),
    "why.queued.next": _l("It starts by itself then."),
    "why.not_ready.next": _l("It is looked at again every 30 s; abort it if this will not change."),
    "why.sending.next": _l("Each agent confirms by itself."),
    "why.budget.next": _l("More is sent as agents settle."),
    "why.confirming.next": _l("An agent that stays silent counts as timed out."),
    "why.nobody_left.next": _l(
        "Nothing proves the version good here: roll back, abort, or advance it by hand."
    ),
    "why.all_away.next": _l("It goes on when agents return, or when a person advances it."),
    "why.quorum.next": _l("It goes on when enough agents run it, or when a person advances it."),
    "why.quorum.next_of_all": _l(
        "It completes when enough agents run it; else roll back or abort it."
    ),
    "why.failing_so_far.comes_back": _l(
        "If that is so at the end of the window, the rollout comes back."
    ),
    "why.failing_so_far.pauses": _l("If that is so at the end of the window, the rollout pauses."),
    "why.if_all_pass.bakes": _l("If all gates pass, the rollout bakes, with rollback armed."),
    "why.if_all_pass.asks": _l("If all gates pass, {phase} asks for approval."),
    "why.if_all_pass.starts": _l("If all gates pass, {phase} starts."),
    "why.warning.next": _l("It goes on when the gate is calm again."),
    "why.failing.next": _l("The rollout comes back."),
    "why.no_data.next": _l("It goes on when data return, or when a person counts it as passed."),
    "why.too_few.next": _l("It goes on when there are enough readings."),
    "why.approval.next": _l(
        "It starts when an approver other than its author and starter approves."
    ),
    "why.withdrawn.next": _l("Approval is asked again when the gate is calm."),
    "why.frozen.next": _capital(_l("{phase} goes on afterwards. Rollbacks are not held.")),
    "why.paused.next": _l(
        "Nothing more is sent. Guards keep watching. Resume, roll back or abort it."
    ),
    "why.unwell.next": _l("It counts when it lasts longer than the plan's health_grace."),
    "why.baking.next": _l("It completes if no guard fires."),
}

PARTS: dict[str, Sentence] = {
    "why.the_rollout": _l("the rollout"),
    "why.it": _l("it"),
    "why.what_they_ran": _l("what they ran before"),
    "why.to_finish": _l("{number} to finish"),
    "why.to_release": _l("{number} to release {agents}"),
    "why.and": _l("{one} and {other}"),
    "why.run": _l("{on_new:,} of {expected:,} run {version}"),
    "why.apart": "; {told}",
    "why.gate_warns": _l("A gate is at its warning level."),
    "why.gate_red": _l("A gate is red."),
    "why.has_no_data": _l("{gate} has no data."),
    "why.has_too_few": _l("{gate} has too few readings."),
    "decide.nobody_in_it": _l("0 agents, passes at once"),
    "decide.all_away": _l("all {away:,} agents are away, passes at once"),
    "decide.evidence_changed": _l("the evidence changed"),
    "decide.no_data_about": _silent_gates,
    "floor.failed": _allowed(_l("{bad:,} of {expected} failed ({failures}); {allowed}.")),
    "floor.none_failed": _allowed(_l("Of {expected} none failed; {allowed}.")),
    "floor.none_answered": _allowed(_l("Of {expected} none has answered yet; {allowed} fail.")),
    "rounding.up": _l("{percent:.4g} % of {of:,} is {exact:.6g}, rounded to {size:,}"),
    "rounding.down": _l(
        "{percent:.4g} % of {of:,} is {exact:.6g}, rounded to {size:,}, because a phase below "
        "100 % leaves somebody"
    ),
}
