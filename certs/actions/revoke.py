"""Revoke a certificate, or all of an agent: sessions are cut, later ones refused (security.md R30)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from agents.actions.trust import revoke_certificate
from certs.apply import change_certificate
from certs.models import Certificate
from certs.rotation.states import FINAL_STATES, ISSUED_STATES
from console.lib.problems import Refused
from console.lib.texts import text


def revoke(
    *, certificate_id: int, by: Actor, reason: str, now: datetime | None = None
) -> Certificate:
    """Revoke one certificate. Raises Denied, Missing, Refused when it cannot be used anyway."""
    require(by, "certificates.revoke")
    with transaction.atomic():
        certificate = Certificate.objects.lock(certificate_id)
        if certificate.state not in ISSUED_STATES:
            raise Refused("cert.nothing_to_revoke", state=certificate.state)
        _revoke(certificate, by, reason, now or timezone.now())
    return certificate


def revoke_all_of_agent(
    *, agent_id: int, by: Actor, reason: str, now: datetime | None = None
) -> int:
    """Revoke every certificate of an agent, and cancel what is on its way. Returns how many could have
    been used. Raises Denied."""
    require(by, "certificates.revoke")
    at, revoked = now or timezone.now(), 0
    with transaction.atomic():
        mine = (
            Certificate.objects.select_for_update(of=("self",), no_key=True)
            .filter(agent_id=agent_id)
            .exclude(state__in=sorted(FINAL_STATES))
            .order_by("pk")
        )
        for certificate in mine:
            if certificate.registered_id is None:
                if certificate.state not in ISSUED_STATES:
                    why = text("cert.revoked_by", reason=reason)
                    change_certificate(certificate, "cancel", by=by, now=at, why=why)
                continue
            _revoke(certificate, by, reason, at)
            revoked += 1
    return revoked


def _revoke(certificate: Certificate, by: Actor, reason: str, now: datetime) -> None:
    why = text("cert.revoked_by", reason=reason)
    change_certificate(certificate, "revoke", by=by, now=now, why=why, renew_at=None)
    if certificate.registered_id is not None:
        revoke_certificate(certificate_id=certificate.registered_id, by=by, reason=reason, now=now)
