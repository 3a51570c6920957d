"""Renew a certificate before its time."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from certs.models import Certificate
from certs.rotation.states import CertificateState, Origin
from certs.successors import renew as begin_successor
from console.lib.problems import Refused


def renew(
    *, certificate_id: int, by: Actor, reason: str, now: datetime | None = None
) -> Certificate:
    """Have a successor issued and offered. Raises Denied, Missing, and Refused when it is not in use or
    another one is on its way."""
    require(by, "certificates.renew")
    with transaction.atomic():
        certificate = Certificate.objects.lock(certificate_id)
        if certificate.state != CertificateState.INSTALLED:
            raise Refused("cert.nothing_to_renew", state=certificate.state)
        if Certificate.objects.open().filter(agent_id=certificate.agent_id).exists():
            raise Refused("cert.on_its_way")
        return begin_successor(
            certificate, now or timezone.now(), origin=Origin.OPERATOR, by=by, why=reason
        )
