"""Events of a timeline in words: who did what, with its icon and colour. Pure over event rows."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from console.pages import words
from rollouts.models import Event

ACTOR_ICONS = {
    "human": "person",
    "token": "key",
    "system": "system",
    "agent": "nav-agents",
    "gate": "gate",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline."""

    event: Event
    token: str
    icon: str
    text: str
    is_reason_quoted: bool


def _state_look(event: Event) -> words.Look | None:
    if not event.state_to:
        return None
    return words.look("phase" if event.phase else "rollout", event.state_to)


def line(event: Event) -> Line:
    """Return the line of an event. A text the engine wrote itself wins over what we can say."""
    look = _state_look(event)
    said = str((event.inputs or {}).get("text") or "")
    if not said:
        said = _sentence(event)
    human = event.actor_kind in {"human", "token"}
    return Line(
        event=event,
        token=look.token if look else "",
        icon=look.icon if look else ACTOR_ICONS.get(event.actor_kind, "pending"),
        text=said,
        is_reason_quoted=human,
    )


def _sentence(event: Event) -> str:
    act = event.act.replace("_", " ").replace(".", " ")
    phase = event.phase[:1].upper() + event.phase[1:]
    state = event.state_to.replace("_", " ")
    if event.phase and state:
        return _("%(phase)s: %(state)s.") % {"phase": phase, "state": state}
    if state:
        return _("Rollout: %(state)s.") % {"state": state}
    return f"{phase}: {act}." if phase else f"{act[:1].upper()}{act[1:]}."
