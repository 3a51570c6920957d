"""Events of one agent in words. Kinds are the gateway's; one it did not have is shown as it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from agents.models import AgentEvent
from console.lib.texts import from_column, said
from console.words import states as words
from console.words.plain import first_line, plain


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One line of an agent's history."""

    at: datetime
    token: str
    icon: str
    text: str


# What the system says itself is kept as texts under these names; all else agents or people said.
_SENTENCES = frozenset({"by", "why", "retired_by"})


def details_of(event: AgentEvent) -> dict[str, object]:
    """Return what is kept with an event, with the words of the system said."""
    details = event.details if isinstance(event.details, dict) else {}
    return {
        name: said(from_column(value)) if name in _SENTENCES and isinstance(value, str) else value
        for name, value in details.items()
    }


def line(event: AgentEvent) -> AgentLine:
    """Return the line of an event; everything the agent said is escaped and cut."""
    details = details_of(event)
    if event.kind == "health":
        return _health(event, details)
    if event.kind == "component_health":
        sick = first_line(details.get("says", ""))
        if details.get("sick"):
            text = _("Component unhealthy: %(what)s") % {"what": sick}
            return AgentLine(event.at, "warn", "triangle", text)
        return AgentLine(event.at, "ok", "ok", _("Component well again, was %(w)s") % {"w": sick})
    if event.kind == "config_failed":
        error = first_line(details.get("error", ""))
        which = plain(str(details.get("config_hash", ""))[:8])
        text = _("Refused config %(hash)s: %(error)s") % {"hash": which, "error": error}
        return AgentLine(event.at, "bad", "octagon-x", text)
    if event.kind == "fell_back":
        left, runs = (plain(str(details.get(key, ""))[:8]) for key in ("config_hash", "runs"))
        text = _("Left config %(left)s by itself: it runs %(runs)s again") % {
            "left": left,
            "runs": runs,
        }
        return AgentLine(event.at, "bad", "undo", text)
    if event.kind == "settings_status":
        return _settings(event, details)
    known = {
        "connected": ("ok", "nav-agents", _("Connected")),
        "disconnected": ("off", "dashed", _("Disconnected")),
        "retired": ("off", "stop", _("Retired")),
        "came_back": ("ok", "nav-agents", _("Came back after it was retired")),
        "replaces": ("run", "person", _("Speaks for the host of another agent")),
        "replaced": ("off", "person", _("Its host speaks under another id")),
        "took_over": ("ok", "person", _("Took over labels and history")),
        "lost_config": ("bad", "undo", _("Came back without the config that it ran")),
        "restarted": ("run", "retry", _("Restarted")),
        "duplicate": ("warn", "triangle", _("A second agent uses the same id")),
        "settings_offered": ("run", "link", _("Connection settings sent")),
        "custom_message": ("", "arrow-right", _("Said by a custom message")),
        "rename_ordered": ("run", "person", _("Told to take a new id")),
        "wedged": (
            "bad",
            "octagon-x",
            _("Refuses everything, also what it ran before; its stored config must be removed"),
        ),
        "bad_text": ("warn", "triangle", _("Reported text that is not UTF-8")),
        "config_too_large": ("bad", "octagon-x", _("The config is too large to be sent")),
    }
    if event.kind in known:
        token, icon, text = known[event.kind]
        return AgentLine(event.at, token, icon, text + _more(details))
    name = plain(event.kind.replace("_", " ").replace(".", " "), limit=80)
    return AgentLine(event.at, "", "pending", f"{name[:1].upper()}{name[1:]}{_more(details)}")


def _health(event: AgentEvent, details: dict[str, object]) -> AgentLine:
    if details.get("healthy"):
        return AgentLine(event.at, "ok", "ok", _("Healthy"))
    error = first_line(details.get("error", ""))
    text = _("Unhealthy: %(error)s") % {"error": error} if error else _("Unhealthy")
    return AgentLine(event.at, "bad", "triangle-fill", text)


def _settings(event: AgentEvent, details: dict[str, object]) -> AgentLine:
    status = details.get("status")
    word = words.SAID.get(status) if isinstance(status, int) else None
    look = word or words.Look("off", "question", _("no status"))
    text = _("Connection settings: %(word)s") % {"word": str(look.word)}
    more = _more({"settings_hash": details.get("settings_hash")})
    return AgentLine(event.at, look.token, look.icon, text + more)


def _more(details: dict[str, object]) -> str:
    parts = [
        f"{plain(key, limit=80).replace('_', ' ')} {plain(_short(key, value), limit=200)}"
        for key, value in details.items()
        if value not in ("", None)
    ]
    return f": {', '.join(parts)}" if parts else ""


def _short(key: str, value: object) -> object:
    """Hashes are told apart by their first eight digits, as everywhere on the pages."""
    return value[:8] if key.endswith("hash") and isinstance(value, str) else value
