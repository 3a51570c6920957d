"""A turn over many certificates: first wave, rate, pause, what is urgent (SEC-18; security.md R28)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from agents.models import Agent, AgentStatus, CertificateRequest, Session
from agents.opamp import bits
from certs.loop.tick import tick
from certs.models import Certificate, RotationPause
from tests.make.agents import make_agent
from tests.make.requests import csr
from tests.make.rotation import make_certificate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("issuing")]
NOW = datetime.now(UTC)
PEM = csr().decode()


def make_due(number: int, days: float = 5) -> None:
    """Create agents that are connected, each with a certificate in use that is due."""
    for _ in range(number):
        agent = make_agent(
            f"edge-{Agent.objects.count()}",
            capabilities=bits.ACCEPTS_OPAMP_SETTINGS,
            status={"connected": True, "connected_at": NOW},
        )
        request = CertificateRequest.objects.create(
            agent=agent, digest=f"{agent.pk:064x}", csr=PEM, received_at=NOW, taken_at=NOW
        )
        make_certificate(agent=agent, request=request, days=days, renew_at=NOW)


def offered() -> list[Certificate]:
    return list(Certificate.objects.filter(state="offered").select_related("agent"))


def use(certificate: Certificate) -> None:
    """Let the agent connect with it."""
    session = Session.objects.create(
        id=uuid.uuid4(), agent=certificate.agent, gateway_id=uuid.uuid4(), transport="ws",
        principal=certificate.principal, connected_at=NOW + timedelta(seconds=30),
    )  # fmt: skip
    AgentStatus.objects.filter(agent=certificate.agent).update(session_id=session.pk)


def test_sec_18_a_batch_begins_with_a_hundredth_and_goes_on_when_that_is_proven() -> None:
    make_due(150)
    tick(NOW)
    assert Certificate.objects.filter(state="pending").count() == 148
    first = offered()
    assert len(first) == 2
    tick(NOW + timedelta(seconds=5))
    assert len(offered()) == 2
    for certificate in first:
        use(certificate)
    tick(NOW + timedelta(seconds=40))
    assert len(offered()) == 5, "no more than the rate allows"
    assert Certificate.objects.filter(state="superseded").count() == 2


def test_sec_18_when_too_many_fail_renewals_stop_and_what_is_urgent_goes_on() -> None:
    make_due(30)
    tick(NOW)
    for certificate in Certificate.objects.filter(state="installed")[:3]:
        make_certificate("failed", agent=certificate.agent, origin="renewal", offered_at=NOW)
    make_due(1, days=0.5)
    tick(NOW + timedelta(seconds=5))
    assert RotationPause.objects.get().began_by == "system"
    urgent = [one for one in offered() if one.needed_by and one.needed_by < NOW + timedelta(days=1)]
    assert len(urgent) == 1
    before = len(offered())
    tick(NOW + timedelta(seconds=10))
    assert len(offered()) == before
    assert RotationPause.objects.count() == 1


def test_one_that_cannot_be_issued_does_not_hold_up_the_others() -> None:
    make_due(3)
    bad = Certificate.objects.earliest("pk")
    CertificateRequest.objects.filter(agent=bad.agent).update(csr="not a request any more")
    Certificate.objects.update(needed_by=None)
    for seconds in range(0, 60, 5):
        tick(NOW + timedelta(seconds=seconds))
        for certificate in offered():
            use(certificate)
    states = Certificate.objects.exclude(agent=bad.agent).values_list("state", flat=True)
    assert sorted(states) == ["installed", "installed", "superseded", "superseded"]
    assert Certificate.objects.filter(agent=bad.agent, state="failed").exists()
