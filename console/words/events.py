"""Events of a timeline as lines: who did what (`event_sentences`), with its icon and colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import QuerySet
from django.utils.translation import pgettext

from console.lib.texts import said, spoken
from console.words.actors import who
from console.words.event_sentences import WORDINGS, Inputs, did
from rollouts.engine.facts import GateKind
from rollouts.models import Event

ACTOR_ICONS = {"human": "person", "token": "key", "system": "system", "agent": "nav-agents"}


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


def line(event: Event) -> Line:
    """Return the line of an event. A text the engine wrote itself wins over what we can say."""
    inputs = spoken(event.inputs) if isinstance(event.inputs, dict) else {}
    reason = said(event.reason)
    wording = WORDINGS.get(event.act)
    words = str(inputs.get("text") or "")
    if not words:
        words = did(event.act, event.phase, inputs)
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


# What a person does so that a phase starts at that moment.
_STARTS = frozenset({"start", "approval_approved", "resume", "advance"})
# What agents did by themselves.
_BY_AGENTS = frozenset({"fell_back", "lost", "rollback_done", "stragglers_back"})


def _actor(event: Event, inputs: Inputs) -> str:
    """Name who did it: a person, a gate, a guard, agents; for all that nobody else did, the policy."""
    if event.actor_kind != "system":
        return event.actor_name
    gate = inputs.get("gate")
    if event.act.startswith("gate_") or (event.act == "fail_phase" and isinstance(gate, dict)):
        kind = gate.get("kind") if isinstance(gate, dict) else ""
        if kind in {GateKind.THRESHOLD, GateKind.TRIGGER}:
            return pgettext("who", "guard")
        return pgettext("who", "policy") if kind == GateKind.FLOOR else pgettext("who", "gate")
    return pgettext("who", "agents") if event.act in _BY_AGENTS else who(event.actor_name)


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
