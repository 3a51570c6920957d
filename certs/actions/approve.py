"""Approve or refuse a certificate that waits for a person."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from agents.actions.command import refuse_certificate
from certs.apply import approve_certificate, change_certificate
from certs.models import Certificate
from certs.rotation.states import CertificateState
from console.lib.problems import Refused
from console.lib.texts import said, text


def approve(
    *, certificate_id: int, by: Actor, reason: str, now: datetime | None = None
) -> Certificate:
    """Let a certificate be issued. Raises Denied, Missing, Refused when it does not wait."""
    require(by, "certificates.approve")
    with transaction.atomic():
        certificate = _waiting(certificate_id)
        approve_certificate(certificate, by=by, now=now or timezone.now(), why=reason)
    return certificate


def refuse(
    *, certificate_id: int, by: Actor, reason: str, now: datetime | None = None
) -> Certificate:
    """Refuse a certificate; the agent is told with a BadRequest (OP-45). Raises Denied, Missing,
    Refused when it does not wait."""
    require(by, "certificates.approve")
    at = now or timezone.now()
    with transaction.atomic():
        certificate = _waiting(certificate_id)
        why = text("cert.refused", reason=reason)
        change_certificate(certificate, "refuse", by=by, now=at, why=why)
        refuse_certificate(agent_id=certificate.agent_id, text=said(why), by=by, now=at)
    return certificate


def _waiting(certificate_id: int) -> Certificate:
    """Return the locked certificate. Raises Missing, Refused."""
    certificate = Certificate.objects.lock(certificate_id)
    if certificate.state != CertificateState.PENDING or certificate.is_approved:
        raise Refused("cert.nothing_to_approve")
    return certificate
