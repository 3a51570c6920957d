"""What was done, in words: a sentence, icon and colour for each act of a timeline.

The engine's acts are those of `rollouts.engine.states`; an act that is not here is shown as its
own name, so that nothing is ever left out of a timeline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.words import tally
from rollouts.engine.facts import GateKind

Inputs = Mapping[str, Any]


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
        "phase": phase,
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
    """Return a wording without numbers; `text` is called at the time, so that it is translated."""
    return lambda phase, inputs: text() % {"phase": phase}


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


def _wave(phase: str, inputs: Inputs) -> str:
    agents = _number(inputs, "agents")
    return ngettext(
        "The version from before is offered to %(n)d agent.",
        "The version from before is offered to %(n)d agents.",
        agents,
    ) % {"n": agents}


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
        "wait", "hourglass", _fixed(lambda: _("Approval of %(phase)s is asked again."))
    ),
    "approval_approved": Wording("ok", "check", _fixed(lambda: _("%(phase)s approved."))),
    "approval_rejected": Wording("bad", "octagon-x", _fixed(lambda: _("%(phase)s rejected."))),
    "approval_lapsed": Wording(
        "off", "skipped", _fixed(lambda: _("The question about %(phase)s lapsed."))
    ),
    "approval_expired": Wording(
        "off", "clock", _fixed(lambda: _("The question about %(phase)s expired."))
    ),
    "approval_withdrawn": Wording(
        "off", "stop", _fixed(lambda: _("The question about %(phase)s was withdrawn."))
    ),
    "start_phase": Wording("run", "arc", _started),
    "deployed": Wording("run", "clock", _deployed),
    "pass_phase": Wording("ok", "ok", _passed),
    "advance": Wording(
        "run",
        "advance",
        _fixed(lambda: _("The rest of the observation of %(phase)s was skipped.")),
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
    "rollback_wave": Wording("bad", "undo", _wave),
    "rollback_check_failed": Wording(
        "bad", "octagon-x", _fixed(lambda: _("The check after a batch failed."))
    ),
    "accept_finding": Wording("warn", "person", _accepted),
    "waive": Wording("warn", "person", _fixed(lambda: _("A gate of %(phase)s was overridden."))),
    "agents_taken": Wording(
        "off", "undo", _fixed(lambda: _("Some agents were taken over by a rollback."))
    ),
    "quarantine_lifted": Wording("warn", "key", _lifted),
    "add_rest": Wording("run", "plus", _fixed(lambda: _("A last wave was added."))),
    "late_joiners": Wording("run", "plus", _fixed(lambda: _("Late agents got the version."))),
}


def did(act: str, phase: str, inputs: Inputs) -> str:
    """Return the sentence of an act. The name of a phase stays as the plan writes it, but where a
    sentence begins with it."""
    wording = WORDINGS.get(act)
    said = wording.say(phase, inputs) if wording else _own_name(act, phase)
    return capfirst(said) if phase and said.startswith(phase) else said


def _own_name(act: str, phase: str) -> str:
    act = act.replace("_", " ").replace(".", " ")
    return f"{phase}: {act}." if phase else f"{capfirst(act)}."
