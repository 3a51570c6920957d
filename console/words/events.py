"""Events of a timeline in words: who did what, with its icon and colour. Pure over event rows.

The engine's acts are those of `rollouts.engine.states`; an act that is not here is shown as its
own name, so that nothing is ever left out of a timeline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from console.lib.texts import said, spoken
from console.words import tally
from rollouts.engine.facts import GateKind
from rollouts.models import Event

ACTOR_ICONS = {"human": "person", "token": "key", "system": "system", "agent": "nav-agents"}
Inputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline. `evidence` are the sentences of the gates that decided it."""

    event: Event
    actor: str
    token: str
    icon: str
    text: str
    reason: str
    is_reason_quoted: bool
    evidence: list[str]


@dataclass(frozen=True, slots=True)
class Wording:
    """How one act is shown."""

    token: str
    icon: str
    say: Callable[[str, Inputs], str]


def _number(inputs: Inputs, name: str) -> int:
    value = inputs.get(name)
    return int(value) if isinstance(value, int | float) else 0


def _started(phase: str, inputs: Inputs) -> str:
    members = _number(inputs, "members")
    return ngettext(
        "%(phase)s started: %(n)d agent.", "%(phase)s started: %(n)d agents.", members
    ) % {"phase": phase, "n": members}


def _deployed(phase: str, inputs: Inputs) -> str:
    counts = inputs.get("counts") or {}
    return _("Observation of %(phase)s started: %(told)s.") % {
        "phase": phase.lower(),
        "told": tally.told(counts),
    }


def _passed(phase: str, inputs: Inputs) -> str:
    gates = inputs.get("gates") or []
    told = gates_told([gate for gate in gates if isinstance(gate, dict)])
    if not told:
        return _("%(phase)s passed.") % {"phase": phase}
    return _("%(phase)s passed: %(told)s.") % {"phase": phase, "told": told}


def gates_told(gates: Sequence[Mapping[str, Any]]) -> str:
    """Return "2 gates and 1 guard pass, 2 had no data" of gates as an event keeps them, "" for none: what
    nobody could see is never counted as passing, nor is what a person counted as passed."""
    overridden = sum(bool(gate.get("waived_by")) for gate in gates)
    own = [gate for gate in gates if not gate.get("waived_by")]
    fine = [gate for gate in own if gate.get("verdict") == "pass"]
    unseen = sum(gate.get("verdict") == "insufficient" for gate in own)
    rest = len(own) - len(fine) - unseen
    guards = sum(gate.get("kind") in _GUARDS for gate in fine)
    passing = ngettext("%(told)s passes", "%(told)s pass", len(fine)) % {
        "told": tally.gates_and_guards(len(fine) - guards, guards)
    }
    parts = (
        (len(fine), passing),
        (overridden, ngettext("%(n)d is overridden", "%(n)d are overridden", overridden)),
        (unseen, ngettext("%(n)d had no data", "%(n)d had no data", unseen)),
        (rest, ngettext("%(n)d does not pass", "%(n)d do not pass", rest)),
    )
    return ", ".join(text % {"n": number} for number, text in parts if number)


_GUARDS = frozenset({GateKind.THRESHOLD, GateKind.TRIGGER, GateKind.FLOOR})


def _fell_back(phase: str, inputs: Inputs) -> str:
    agents = _number(inputs, "agents")
    return ngettext(
        "%(n)d agent fell back to another version by itself.",
        "%(n)d agents fell back to another version by themselves.",
        agents,
    ) % {"n": agents}


def _lost(phase: str, inputs: Inputs) -> str:
    agents = _number(inputs, "agents")
    return ngettext(
        "%(n)d agent was lost after the change.",
        "%(n)d agents were lost after the change.",
        agents,
    ) % {"n": agents}


def _roll_back(phase: str, inputs: Inputs) -> str:
    agents = _number(inputs, "agents")
    if not agents:
        return _("Rollback decided.")
    return ngettext(
        "Rollback decided: %(n)d agent returns.", "Rollback decided: %(n)d agents return.", agents
    ) % {"n": agents}


def _redrawn(phase: str, inputs: Inputs) -> str:
    agents = _number(inputs, "agents")
    return ngettext(
        "%(n)d member went away since the preview; phases were drawn again from the connected.",
        "%(n)d members went away since the preview; phases were drawn again from the connected.",
        agents,
    ) % {"n": agents}


def _fixed(text: Callable[[], str]) -> Callable[[str, Inputs], str]:
    """Return a wording without numbers; `text` is called at the time, so that it is translated.

    `%(phase)s` begins a sentence, `%(in_phase)s` stands inside one.
    """
    return lambda phase, inputs: text() % {"phase": phase, "in_phase": phase.lower()}


def _gate(phase: str, inputs: Inputs) -> str:
    """A gate speaks for itself: value, limit, what stands behind it."""
    gate = inputs.get("gate")
    return str(gate.get("sentence") or gate.get("title")) if isinstance(gate, dict) else ""


def _accepted(phase: str, inputs: Inputs) -> str:
    return _("Accepted before the start: %(finding)s") % {"finding": inputs.get("finding", "")}


def _quarantined(phase: str, inputs: Inputs) -> str:
    return _("%(version)s is quarantined for the whole fleet.") % {
        "version": inputs.get("version", "")
    }


def _lifted(phase: str, inputs: Inputs) -> str:
    version, agents = inputs.get("version", ""), _number(inputs, "agents")
    if not inputs.get("fleet"):
        text = ngettext(
            "The quarantine of %(version)s is lifted for %(n)d agent.",
            "The quarantine of %(version)s is lifted for %(n)d agents.",
            agents,
        )
    elif agents:
        text = ngettext(
            "The quarantine of %(version)s is lifted for the whole fleet, with %(n)d agent that was "
            "kept from it by itself.",
            "The quarantine of %(version)s is lifted for the whole fleet, with %(n)d agents that "
            "were kept from it by themselves.",
            agents,
        )
    else:
        text = _("The quarantine of %(version)s is lifted for the whole fleet.")
    return text % {"version": version, "n": agents}


def _wave(phase: str, inputs: Inputs) -> str:
    agents = _number(inputs, "agents")
    return ngettext(
        "The version from before is offered to %(n)d agent.",
        "The version from before is offered to %(n)d agents.",
        agents,
    ) % {"n": agents}


WORDINGS: dict[str, Wording] = {
    "draft": Wording("off", "draft", _fixed(lambda: _("Drafted."))),
    "edit": Wording("off", "draft", _fixed(lambda: _("The draft was changed."))),
    "discard": Wording("off", "stop", _fixed(lambda: _("The draft was discarded."))),
    "schedule": Wording("wait", "clock", _fixed(lambda: _("Scheduled."))),
    "start": Wording("run", "play", _fixed(lambda: _("Rollout started."))),
    "redrawn": Wording("warn", "nav-agents", _redrawn),
    "pause": Wording("warn", "paused", _fixed(lambda: _("Paused."))),
    "resume": Wording("run", "play", _fixed(lambda: _("Resumed."))),
    "bake": Wording("run", "clock", _fixed(lambda: _("Every phase passed. Guards keep watching."))),
    "succeed": Wording("ok", "ok", _fixed(lambda: _("Completed."))),
    "roll_back": Wording("bad", "undo", _roll_back),
    "rolled_back": Wording("off", "undo", _fixed(lambda: _("Rolled back."))),
    "rollback_incomplete": Wording(
        "bad", "triangle", _fixed(lambda: _("Rollback incomplete: some agents are not back."))
    ),
    "stragglers_back": Wording("ok", "undo", _fixed(lambda: _("The last straggler is back."))),
    "rollback_done": Wording("ok", "ok", _fixed(lambda: _("All online agents are back."))),
    "rollback_again": Wording("run", "retry", _fixed(lambda: _("Stragglers are asked again."))),
    "abort": Wording("off", "stop", _fixed(lambda: _("Aborted. Agents keep what they run."))),
    "supersede": Wording("off", "skipped", _fixed(lambda: _("Superseded by another rollout."))),
    "ask_approval": Wording(
        "wait", "hourglass", _fixed(lambda: _("%(phase)s waits for approval."))
    ),
    "approval_asked": Wording(
        "wait", "hourglass", _fixed(lambda: _("Approval of %(in_phase)s is asked again."))
    ),
    "approval_approved": Wording("ok", "check", _fixed(lambda: _("%(phase)s approved."))),
    "approval_rejected": Wording("bad", "octagon-x", _fixed(lambda: _("%(phase)s rejected."))),
    "approval_lapsed": Wording(
        "off", "skipped", _fixed(lambda: _("The question about %(in_phase)s lapsed."))
    ),
    "approval_expired": Wording(
        "off", "clock", _fixed(lambda: _("The question about %(in_phase)s expired."))
    ),
    "approval_withdrawn": Wording(
        "off", "stop", _fixed(lambda: _("The question about %(in_phase)s was withdrawn."))
    ),
    "start_phase": Wording("run", "arc", _started),
    "deployed": Wording("run", "clock", _deployed),
    "pass_phase": Wording("ok", "ok", _passed),
    "advance": Wording(
        "run",
        "advance",
        _fixed(lambda: _("The rest of the observation of %(in_phase)s was skipped.")),
    ),
    "fail_phase": Wording("bad", "octagon-x", _fixed(lambda: _("%(phase)s failed."))),
    "phase_rolled_back": Wording(
        "off", "undo", _fixed(lambda: _("%(phase)s: its agents went back."))
    ),
    "skip_phase": Wording("off", "skipped", _fixed(lambda: _("%(phase)s skipped."))),
    "gate_warning": Wording("warn", "triangle", _gate),
    "gate_critical": Wording("bad", "octagon-x", _gate),
    "gate_notify": Wording("warn", "gate", _gate),
    "gate_calm": Wording("ok", "ok", _gate),
    "fell_back": Wording("bad", "undo", _fell_back),
    "lost": Wording("bad", "dashed", _lost),
    "quarantined": Wording("off", "lock", _quarantined),
    "quarantine_lifted": Wording("warn", "key", _lifted),
    "rollback_wave": Wording("bad", "undo", _wave),
    "rollback_check_failed": Wording(
        "bad", "octagon-x", _fixed(lambda: _("The check after a batch failed."))
    ),
    "accept_finding": Wording("warn", "person", _accepted),
    "waive": Wording("warn", "person", _fixed(lambda: _("A gate of %(in_phase)s was overridden."))),
    "agents_taken": Wording(
        "off", "undo", _fixed(lambda: _("Some agents were taken over by a rollback."))
    ),
    "add_rest": Wording("run", "plus", _fixed(lambda: _("A last wave was added."))),
    "late_joiners": Wording("run", "plus", _fixed(lambda: _("Late agents got the version."))),
}


def line(event: Event) -> Line:
    """Return the line of an event. A text the engine wrote itself wins over what we can say."""
    inputs = spoken(event.inputs) if isinstance(event.inputs, dict) else {}
    reason = said(event.reason)
    phase = event.phase[:1].upper() + event.phase[1:]
    wording = WORDINGS.get(event.act)
    words = str(inputs.get("text") or "")
    if not words:
        words = wording.say(phase, inputs) if wording else _own_name(event, phase)
    return Line(
        event=event,
        actor=_actor(event, inputs),
        token=wording.token if wording else "",
        icon=wording.icon if wording else ACTOR_ICONS.get(event.actor_kind, "pending"),
        text=words,
        reason="" if words == reason else _reason(event, reason),
        is_reason_quoted=_is_of_a_person(event),
        evidence=_evidence(event, inputs),
    )


# Who it was, where no person acted: what the plan says, and what agents did by themselves.
_BY_PLAN = frozenset(
    {
        *("roll_back", "quarantined", "skip_phase", "pause", "bake", "succeed", "add_rest"),
        *("start_phase", "deployed", "pass_phase", "ask_approval", "approval_asked"),
        *("approval_lapsed", "approval_expired", "approval_withdrawn"),
    }
)
# What a person does so that a phase starts at that moment.
_STARTS = frozenset({"start", "approval_approved", "resume", "advance"})
_BY_AGENTS = frozenset({"fell_back", "lost", "rollback_done", "stragglers_back"})


def _actor(event: Event, inputs: Inputs) -> str:
    """Name who did it: a person, a gate, a guard, the plan, agents; the engine only for the rest."""
    if event.actor_kind != "system":
        return event.actor_name
    gate = inputs.get("gate")
    if event.act.startswith("gate_") or (event.act == "fail_phase" and isinstance(gate, dict)):
        kind = gate.get("kind") if isinstance(gate, dict) else ""
        if kind in {GateKind.THRESHOLD, GateKind.TRIGGER}:
            return pgettext("who", "guard")
        return pgettext("who", "policy") if kind == GateKind.FLOOR else pgettext("who", "gate")
    if event.act in _BY_PLAN:
        return pgettext("who", "policy")
    return pgettext("who", "agents") if event.act in _BY_AGENTS else event.actor_name


def _is_of_a_person(event: Event) -> bool:
    return event.actor_kind in {"human", "token"}


def _reason(event: Event, reason: str) -> str:
    """A reason in a person's words stays as it is; one of ours is a sentence."""
    return reason if _is_of_a_person(event) else reason[:1].upper() + reason[1:]


def lines(events: Iterable[Event]) -> list[Line]:
    """Return lines, oldest first. One decision writes several events; its reason is said once, and a
    phase that a person's act started is that person's."""
    found: list[Line] = []
    before: Event | None = None
    person: Event | None = None
    for event in events:
        own = line(event)
        if _is_of_a_person(event) and event.act in _STARTS:
            person = event
        elif event.act == "start_phase" and person is not None and person.at == event.at:
            own = replace(own, actor=person.actor_name)
        if before is not None and event.reason and event.reason == before.reason:
            own = replace(own, reason="", evidence=[])
        found.append(own)
        before = event
    return found


BEFORE = 3  # events that a line may need to be said rightly


def newest_first(events: QuerySet[Event], most: int) -> list[Line]:
    """Return the newest lines, at most so many, of events that are ordered newest first."""
    return lines(reversed(events[: most + BEFORE]))[::-1][:most]


def _own_name(event: Event, phase: str) -> str:
    act = event.act.replace("_", " ").replace(".", " ")
    return f"{phase}: {act}." if phase else f"{act[:1].upper()}{act[1:]}."


def _evidence(event: Event, inputs: Inputs) -> list[str]:
    """Return the sentences of the gates that were not fine: why the engine did what it did."""
    gates = inputs.get("gates")
    if not isinstance(gates, list) or event.act == "pass_phase":
        return []
    red = [g for g in gates if isinstance(g, dict) and _is_red(g)]
    sentences = [str(g["sentence"]) for g in red if g.get("sentence")]
    return [sentence for sentence in sentences if sentence != said(event.reason)]


def _is_red(gate: Inputs) -> bool:
    return gate.get("verdict") == "fail" or gate.get("level") in {"warning", "critical"}
