"""The connection settings an agent was offered, and its word about them (OP-37 to OP-42)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from agents.models import AgentStatus, ConfigStatus, DesiredSettings
from console.pages import words
from console.pages.plain import plain


@dataclass(frozen=True, slots=True)
class OfferedSettings:
    """What stands in the panel. `kinds` are (kind, host); the rest of an offer may be secret."""

    look: words.Look
    kinds: list[tuple[str, str]]
    by: str
    at: datetime | None
    hash: str
    error: str


def offered_settings(status: AgentStatus, wanted: DesiredSettings | None) -> OfferedSettings | None:
    """Return what was offered to an agent; None when nothing was, and none waits."""
    offer_hash = wanted.settings_hash if wanted else status.settings_offered_hash
    if not offer_hash:
        return None
    is_answered = status.settings_hash == offer_hash
    return OfferedSettings(
        look=_look(status, offer_hash, is_answered),
        kinds=_kinds(wanted),
        by=wanted.by if wanted else "",
        at=wanted.at if wanted else status.settings_offered_at,
        hash=offer_hash,
        error=plain(status.settings_error) if is_answered else "",
    )


def _look(status: AgentStatus, offer_hash: str, is_answered: bool) -> words.Look:
    if is_answered and status.settings_status == ConfigStatus.APPLIED:
        return words.Look("ok", "ok", _("Applied"))
    if is_answered and status.settings_status == ConfigStatus.FAILED:
        return words.Look("bad", "octagon-x", _("Failed"))
    if is_answered and status.settings_status == ConfigStatus.APPLYING:
        return words.Look("run", "arc", _("Applying"), spins=True)
    if status.settings_offered_hash == offer_hash:
        return words.Look("off", "question", _("Sent, no answer yet"))
    return words.Look("off", "hourglass", _("Waits for the agent"))


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
