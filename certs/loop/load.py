"""From rows to the facts of one certificate. Reads; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agents.models import Agent, AgentEvent, AgentStatus, ConfigStatus, Session
from agents.opamp.bits import ACCEPTS_OPAMP_SETTINGS
from certs.models import Certificate
from certs.rotation.facts import RotationFacts, SettingsWord, Speaker
from certs.rotation.states import FLYING_STATES, CertificateState
from console.lib.texts import Text

_WORDS = {
    ConfigStatus.APPLIED: SettingsWord.APPLIED,
    ConfigStatus.APPLYING: SettingsWord.APPLYING,
    ConfigStatus.FAILED: SettingsWord.FAILED,
}


@dataclass(frozen=True, slots=True)
class LoadedFacts:
    """The facts of a certificate, and what was seen of its agent (see `Certificate.seen`)."""

    facts: RotationFacts
    seen: str


def load_facts(certificate: Certificate, blocked: Text | str = "") -> LoadedFacts:
    """Return the facts of one certificate: at most six queries, whatever the fleet."""
    status = AgentStatus.objects.filter(agent_id=certificate.agent_id).first()
    facts = RotationFacts(
        state=CertificateState(certificate.state),
        since=certificate.since,
        is_approved=certificate.is_approved,
        has_request=certificate.request_id is not None,
        is_next=not Certificate.objects.open().filter(agent_id=certificate.agent_id).exists(),
        blocked=blocked,
        not_after=certificate.not_after,
        offered_at=certificate.offered_at,
        agent=_speaker(certificate, status),
    )
    return LoadedFacts(facts, _seen(status))


def _seen(status: AgentStatus | None) -> str:
    """Return what `certs.models.querysets.SEEN` says of the same row."""
    if status is None:
        return ""
    parts = (
        status.session_id,
        "t" if status.connected else "f",
        status.settings_offered_hash,
        status.settings_hash,
        status.settings_status,
    )
    return ":".join(str(part) for part in parts if part is not None)


def _speaker(certificate: Certificate, status: AgentStatus | None) -> Speaker:
    agent = certificate.agent
    keeps = agent.kind != Agent.Kind.SUPERVISOR
    accepts = agent.has_capability(ACCEPTS_OPAMP_SETTINGS)
    if status is None:
        return Speaker(accepts_settings=accepts, keeps_offers=keeps)
    newest = Session.objects.filter(pk=status.session_id).first() if status.session_id else None
    sent_at = _sent_at(certificate, status)
    word = status.settings_hash and status.settings_hash == status.settings_offered_hash
    return Speaker(
        is_connected=status.connected,
        is_known=status.session_id is None or newest is not None,
        connected_at=status.connected_at,
        gone_at=None if status.connected else status.disconnected_at,
        accepts_settings=accepts,
        keeps_offers=keeps,
        word=_WORDS.get(ConfigStatus(status.settings_status or 0)) if sent_at and word else None,
        says=status.settings_error,
        sent_at=sent_at,
        proven_at=_proven_at(certificate),
        came_back_at=_came_back_at(certificate, newest, sent_at),
        uses_this=newest is not None and newest.principal == certificate.principal != "",
        uses_older=newest is not None and _uses_older(certificate, newest),
    )


def _sent_at(certificate: Certificate, status: AgentStatus) -> datetime | None:
    """Return when the offer first went out, by the gateway's own clock: its event has the very moment,
    while the status row is written a little later. A supervisor is back within that time."""
    if certificate.state not in FLYING_STATES:
        return None
    offered = status.settings_offered_hash
    if not offered or offered == certificate.hash_before:
        return None
    event = (
        AgentEvent.objects.filter(agent_id=certificate.agent_id, kind="settings_offered")
        .filter(details__settings_hash=offered)
        .order_by("id")
        .first()
    )
    return event.at if event is not None else status.settings_offered_at


def _proven_at(certificate: Certificate) -> datetime | None:
    if not certificate.fingerprint:
        return None
    first = (
        Session.objects.filter(
            agent_id=certificate.agent_id,
            principal=certificate.principal,
            connected_at__gte=certificate.created_at,
        )
        .order_by("connected_at")
        .first()
    )
    return first.connected_at if first is not None else None


def _came_back_at(
    certificate: Certificate, newest: Session | None, sent_at: datetime | None
) -> datetime | None:
    if newest is None or sent_at is None or newest.principal == certificate.principal:
        return None
    return newest.connected_at if newest.connected_at > sent_at else None


def _uses_older(certificate: Certificate, newest: Session) -> bool:
    if certificate.state != CertificateState.INSTALLED:
        return False
    older = Certificate.objects.filter(
        agent_id=certificate.agent_id, state=CertificateState.SUPERSEDED
    )
    return any(one.principal == newest.principal for one in older)
