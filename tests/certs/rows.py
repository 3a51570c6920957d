"""Agents that ask for certificates and use them, as rows that gateways write."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from agents.models import (
    Agent,
    AgentEvent,
    AgentStatus,
    CertificateRequest,
    ConfigStatus,
    DesiredSettings,
    Session,
)
from agents.opamp import bits
from agents.opamp.requests.signing_request import read_signing_request
from certs.loop.tick import tick
from certs.models import Certificate
from tests.make.agents import make_agent
from tests.make.requests import csr, new_key

SOON = timedelta(seconds=5)


class Asker:
    """One agent. Times are given; each act is what a gateway would have written."""

    def __init__(self, now: datetime, kind: str = Agent.Kind.CLIENT, **status: Any) -> None:
        self.now = now
        self.key = new_key()
        self.agent = make_agent(
            kind=kind,
            capabilities=bits.ACCEPTS_OPAMP_SETTINGS | bits.REPORTS_SETTINGS_STATUS,
            status={"connected": True, "connected_at": now, **status},
        )
        self.connects("token:1")

    # --- Time ----------------------------------------------------------------------------------

    def later(self, by: timedelta = SOON) -> Asker:
        self.now += by
        return self

    def tick(self, by: timedelta = SOON) -> Asker:
        """Let some time pass and the issuer's worker have its turn."""
        tick(self.later(by).now)
        return self

    # --- What it does --------------------------------------------------------------------------

    def asks(
        self, key: ec.EllipticCurvePrivateKey | None = None, pem: bytes = b"", by: str = "token:1"
    ) -> CertificateRequest:
        pem = pem or csr(key or self.key)
        digest = read_signing_request(pem).digest
        request, is_new = CertificateRequest.objects.get_or_create(
            agent=self.agent,
            digest=digest,
            defaults={"csr": pem.decode(), "principal": by, "received_at": self.now},
        )
        if not is_new:
            request.taken_at, request.times = None, request.times + 1
            request.principal = by
            request.save()
        return request

    def connects(self, principal: str) -> Session:
        session = Session.objects.create(
            id=uuid.uuid4(),
            agent=self.agent,
            gateway_id=uuid.uuid4(),
            transport="ws",
            principal=principal,
            connected_at=self.now,
        )
        self._status(session_id=session.pk, connected=True, connected_at=self.now)
        return session

    def leaves(self) -> None:
        self._status(connected=False, disconnected_at=self.now)

    def is_sent_the_offer(self) -> str:
        """Let the gateway send what is wanted; returns the hash on the wire."""
        wanted = DesiredSettings.objects.get(agent=self.agent)
        AgentEvent.objects.create(
            agent=self.agent,
            at=self.now,
            kind="settings_offered",
            details={"settings_hash": wanted.settings_hash},
        )
        self._status(settings_offered_hash=wanted.settings_hash, settings_offered_at=self.now)
        return wanted.settings_hash

    def says(self, status: ConfigStatus, error: str = "") -> None:
        offered = AgentStatus.objects.get(agent=self.agent).settings_offered_hash
        self._status(settings_hash=offered, settings_status=status, settings_error=error)

    def uses(self, certificate: Certificate) -> None:
        self.connects(certificate.principal)

    def _status(self, **fields: Any) -> None:
        AgentStatus.objects.filter(agent=self.agent).update(**fields)

    # --- What came of it -----------------------------------------------------------------------

    @property
    def certificates(self) -> list[Certificate]:
        return list(Certificate.objects.filter(agent=self.agent).order_by("pk"))

    @property
    def newest(self) -> Certificate:
        return self.certificates[-1]

    @property
    def states(self) -> list[str]:
        return [certificate.state for certificate in self.certificates]

    def gets_a_certificate(self, key: ec.EllipticCurvePrivateKey | None = None) -> Certificate:
        """Ask, be offered it, use it."""
        self.asks(key)
        self.tick()
        certificate = self.newest
        self.later().is_sent_the_offer()
        self.later().uses(certificate)
        self.tick()
        certificate.refresh_from_db()
        assert certificate.state == "installed"
        return certificate
