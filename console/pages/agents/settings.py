"""The connection settings an agent was offered, and its word about them (OP-37 to OP-42)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from agents.models import AgentStatus, DesiredSettings
from console.words import states as words
from console.words.plain import plain

# Collectors restart to take settings; who has said nothing for so long after it never will.
ANSWERS_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class OfferedSettings:
    """What stands in the panel. `kinds` are (kind, host); the rest of an offer may be secret."""

    look: words.Look
    kinds: list[tuple[str, str]]
    by: str
    at: datetime | None
    hash: str
    error: str


def offered_settings(
    status: AgentStatus, wanted: DesiredSettings | None, now: datetime
) -> OfferedSettings | None:
    """Return what was offered to an agent; None when nothing was, and none waits.

    What is sent is completed by everyone's settings, so its hash is the gateway's, not the wish's.
    """
    if wanted is None and not status.settings_offered_hash:
        return None
    sent_at = status.settings_offered_at
    is_sent = wanted is None or (sent_at is not None and sent_at >= wanted.at)
    is_answered = is_sent and status.settings_hash == status.settings_offered_hash
    return OfferedSettings(
        look=_look(status, now, is_sent=is_sent, is_answered=is_answered),
        kinds=_kinds(wanted),
        by=wanted.by if wanted else "",
        at=wanted.at if wanted else sent_at,
        hash=status.settings_offered_hash if is_sent else "",
        error=plain(status.settings_error) if is_answered else "",
    )


def _look(status: AgentStatus, now: datetime, *, is_sent: bool, is_answered: bool) -> words.Look:
    if not is_sent:
        return words.Look("off", "hourglass", _("Waits for the agent"))
    said = words.SAID.get(status.settings_status or 0) if is_answered else None
    if said is not None:
        return said
    sent_at = status.settings_offered_at
    if sent_at is not None and now - sent_at > ANSWERS_WITHIN:
        return words.Look("off", "question", _("Sent; this agent does not answer settings"))
    return words.Look("off", "question", _("Sent, no answer yet"))


def _kinds(wanted: DesiredSettings | None) -> list[tuple[str, str]]:
    if wanted is None:
        # Everyone's: the gateway offers its own address for own metrics.
        return [("own_metrics", _("this server"))]
    kinds = []
    for kind, one in wanted.settings.items():
        connections = one.items() if kind == "other_connections" else [(kind, one)]
        for name, connection in connections:
            address = str(connection.get("destination_endpoint", ""))
            kinds.append((plain(name, limit=80), plain(urlsplit(address).hostname or "")))
    return kinds
