"""Making an issued certificate part of what its agent should use (security.md R25)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from accounts.actor import SYSTEM
from agents.actions.offer_settings import offer_settings, withdraw_offer
from agents.models import Agent, AgentStatus, DesiredSettings
from agents.opamp.requests.signing_request import read_signing_request
from certs.apply import change_certificate
from certs.loop.issuing import Bench
from certs.models import Certificate
from certs.rotation.offer import OfferedCertificate, entrance_of, whole_settings
from certs.rotation.states import Mode
from console.lib.texts import said, text


def offer_one(certificate: Certificate, bench: Bench, now: datetime) -> None:
    """Offer a certificate, with everything else the agent was offered before. A new hash each time."""
    agent = certificate.agent
    before = DesiredSettings.objects.filter(agent=agent).first()
    settings = before.settings if before is not None else None
    whole = whole_settings(
        settings,
        entrance_of(settings, bench.usual),
        OfferedCertificate(
            certificate.chain_pem, bench.issuer.authority_pem(), _held_key(certificate)
        ),
        is_supervisor=agent.kind == Agent.Kind.SUPERVISOR,
    )
    status = AgentStatus.objects.filter(agent=agent).first()
    offer_hash = offer_settings(
        agent_ids=[agent.pk],
        settings=whole,
        by=SYSTEM,
        reason=said(text("cert.offered")),
        now=now,
    )
    change_certificate(
        certificate,
        "offer",
        by=SYSTEM,
        now=now,
        offered_at=now,
        offer_hash=offer_hash,
        hash_before=status.settings_offered_hash if status is not None else "",
        settings_before=settings,
        settings_hash_before=before.settings_hash if before is not None else "",
    )


def _held_key(certificate: Certificate) -> str:
    """Return the name of the key that the agent's gateway holds, "" when the agent has its own."""
    if certificate.mode != Mode.PUSH or certificate.request is None:
        return ""
    request = read_signing_request(certificate.request.csr.encode())
    return hashlib.sha256(request.spki).hexdigest()


def withdraw(certificate: Certificate) -> None:
    """Want of the agent what was wanted before this certificate, which it could not use."""
    if certificate.offer_hash:
        withdraw_offer(
            agent_id=certificate.agent_id,
            offer_hash=certificate.offer_hash,
            settings=certificate.settings_before or {},
            settings_hash=certificate.settings_hash_before or secrets.token_hex(32),
            by=SYSTEM,
        )
