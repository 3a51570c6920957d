"""Acts on certificates: allowed, denied by role, twice (security.md sections 4 and 9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from accounts.actor import Actor
from accounts.models import AuditEvent, Role
from agents.models import AgentCertificate, Command
from certs.actions.approve import approve, refuse
from certs.actions.pause import pause_rotation, resume_rotation
from certs.actions.renew import renew
from certs.actions.revoke import revoke, revoke_all_of_agent
from certs.models import Certificate, RotationPause
from console.lib.problems import Denied, Missing, Refused
from tests.certs.rows import Asker
from tests.make.people import make_actor
from tests.make.requests import new_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("issuing")]
NOW = datetime.now(UTC)


def operator() -> Actor:
    return make_actor(Role.OPERATOR, name="olga")


def waiting(settings: object) -> tuple[Asker, Certificate]:
    settings.CERTIFICATES_APPROVAL = "manual"  # type: ignore[attr-defined]
    agent = Asker(NOW)
    agent.asks(by="pool:1")
    agent.tick()
    return agent, agent.newest


def test_a_certificate_that_waits_is_approved_and_issued(settings: object) -> None:
    agent, certificate = waiting(settings)
    approve(certificate_id=certificate.pk, by=operator(), reason="known host", now=agent.now)
    agent.tick()
    assert agent.states == ["offered"]
    assert AuditEvent.objects.get(act="cert.approved").reason == "known host"
    with pytest.raises(Refused):
        approve(certificate_id=certificate.pk, by=make_actor(Role.ADMIN), reason="x")


def test_op_45_a_certificate_that_is_refused_is_a_bad_request_with_the_reason(
    settings: object,
) -> None:
    agent, certificate = waiting(settings)
    refuse(certificate_id=certificate.pk, by=operator(), reason="not one of ours", now=agent.now)
    assert agent.states == ["failed"]
    told = Command.objects.get(kind=Command.Kind.NO_CERTIFICATE)
    assert told.details["text"] == "Refused: not one of ours"
    agent.tick()
    assert agent.states == ["failed"]


def test_a_certificate_in_use_is_renewed_before_its_time() -> None:
    agent = Asker(NOW)
    first = agent.gets_a_certificate()
    by = operator()
    renew(certificate_id=first.pk, by=by, reason="new policy", now=agent.now)
    with pytest.raises(Refused, match="on its way"):
        renew(certificate_id=first.pk, by=by, reason="again")
    agent.tick()
    assert agent.states == ["installed", "offered"]
    with pytest.raises(Refused):
        renew(certificate_id=agent.newest.pk, by=by, reason="not in use")


def test_r30_a_revoked_certificate_is_refused_by_the_registry() -> None:
    agent = Asker(NOW)
    certificate = agent.gets_a_certificate()
    by = operator()
    revoke(certificate_id=certificate.pk, by=by, reason="stolen")
    assert agent.states == ["revoked"]
    assert AgentCertificate.objects.get(fingerprint=certificate.fingerprint).revoked_at is not None
    assert AuditEvent.objects.filter(act="cert.revoked", object_kind="certificate").count() == 1
    with pytest.raises(Refused, match="revoked"):
        revoke(certificate_id=certificate.pk, by=by, reason="again")


def test_r30_all_of_an_agent_are_revoked_and_nothing_is_on_its_way() -> None:
    agent = Asker(NOW)
    first = agent.gets_a_certificate()
    agent.asks(new_key(), by=first.principal)
    agent.tick()
    assert revoke_all_of_agent(agent_id=agent.agent.pk, by=operator(), reason="host is gone") == 2
    assert agent.states == ["revoked", "revoked"]
    assert not AgentCertificate.objects.filter(revoked_at=None).exists()


def test_renewals_are_held_up_and_go_on_again() -> None:
    by = operator()
    pause_rotation(by=by, why="maintenance")
    with pytest.raises(Refused):
        pause_rotation(by=by, why="again")
    agent = Asker(NOW)
    first = agent.gets_a_certificate()
    assert first.renew_at is not None
    agent.tick(first.renew_at - agent.now)
    assert agent.states == ["installed", "pending"]
    resume_rotation(by=by, reason="done", now=agent.now)
    agent.tick()
    assert agent.states == ["installed", "offered"]
    with pytest.raises(Refused):
        resume_rotation(by=by, reason="again")
    assert RotationPause.objects.get().ended_by == "olga"


ACTS: list[Callable[[Actor], object]] = [
    lambda by: approve(certificate_id=1, by=by, reason="x"),
    lambda by: refuse(certificate_id=1, by=by, reason="x"),
    lambda by: renew(certificate_id=1, by=by, reason="x"),
    lambda by: revoke(certificate_id=1, by=by, reason="x"),
    lambda by: revoke_all_of_agent(agent_id=1, by=by, reason="x"),
    lambda by: pause_rotation(by=by, why="x"),
    lambda by: resume_rotation(by=by, reason="x"),
]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR, Role.APPROVER])
def test_who_has_not_the_role_does_nothing(act: Callable[[Actor], object], role: Role) -> None:
    with pytest.raises(Denied):
        act(make_actor(role))
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("act", ACTS[:4])
def test_a_certificate_that_is_not_there_is_said_so(act: Callable[[Actor], object]) -> None:
    with pytest.raises(Missing):
        act(operator())
