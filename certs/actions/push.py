"""Give an agent a certificate with a key that its gateway makes: for agents that make no requests."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from agents.models import Agent
from agents.opamp.bits import ACCEPTS_OPAMP_SETTINGS
from certs.apply import begin_certificate
from certs.models import Certificate
from certs.rotation.states import Mode, Origin
from console.lib.problems import Missing, Refused


def push_certificate(
    *, agent_id: int, by: Actor, reason: str, now: datetime | None = None
) -> Certificate:
    """Have a key made by the agent's gateway, and a certificate for it sent with the key, once.

    Raises Denied, Missing, and Refused where the settings do not allow it, the agent accepts no
    settings, or another certificate is on its way.
    """
    require(by, "certificates.renew")
    if not settings.CERTIFICATES_PUSH:
        raise Refused("cert.no_push")
    with transaction.atomic():
        agent = (
            Agent.objects.select_for_update(of=("self",), no_key=True).filter(pk=agent_id).first()
        )
        if agent is None:
            raise Missing("agent.missing")
        if not agent.has_capability(ACCEPTS_OPAMP_SETTINGS):
            raise Refused("cert.accepts_no_settings")
        if Certificate.objects.open().filter(agent=agent).exists():
            raise Refused("cert.on_its_way")
        return begin_certificate(
            by=by,
            now=now or timezone.now(),
            why=reason,
            agent=agent,
            mode=Mode.PUSH,
            origin=Origin.OPERATOR,
        )
