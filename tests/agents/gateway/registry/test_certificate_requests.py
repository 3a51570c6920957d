"""Certificate requests at the gateway: OP-21, OP-45, OP-46. What becomes of them is in tests/certs."""

from __future__ import annotations

import uuid

import pytest

from accounts.actor import SYSTEM
from agents.actions.command import refuse_certificate, rename
from agents.actions.trust import trust_authority
from agents.models import CertificateRequest, TrustedAuthority
from agents.opamp import opamp_pb2 as pb
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent, full_state
from tests.agents.gateway.helpers import row
from tests.agents.gateway.running import RunningGateway, Starter
from tests.make.certificates import authority
from tests.make.requests import csr
from tests.make.waiting import eventually

ASKS = pb.ServerCapabilities_AcceptsConnectionSettingsRequest


def request(pem: bytes) -> pb.ConnectionSettingsRequest:
    asked = pb.OpAMPConnectionSettingsRequest(certificate_request=pb.CertificateRequest(csr=pem))
    return pb.ConnectionSettingsRequest(opamp=asked)


@pytest.fixture
def gateway(start_gateway: Starter) -> RunningGateway:
    """A gateway whose requests are answered by somebody."""
    trust_authority(name="Agents", pem=authority().pem, by=SYSTEM)
    TrustedAuthority.objects.update(is_ours=True)
    return start_gateway()


def asked(agent: FakeAgent, pem: bytes) -> pb.ServerToAgent:
    return agent.say(connection_settings_request=request(pem))


def kept() -> list[CertificateRequest]:
    return list(CertificateRequest.objects.order_by("pk"))


def test_op_21_requests_are_announced_while_they_are_answered(agent: FakeAgent) -> None:
    assert agent.begin().capabilities & ASKS


def test_op_45_a_request_is_acknowledged_and_kept(agent: FakeAgent) -> None:
    agent.begin()
    pem = csr()
    answer = asked(agent, pem)
    assert not answer.HasField("error_response")
    eventually(CertificateRequest.objects.exists)
    [one] = kept()
    assert (one.csr, one.agent, one.times) == (pem.decode(), row(agent), 1)
    assert one.principal == "loopback"


def test_op_45_the_same_request_is_one_row(agent: FakeAgent) -> None:
    agent.begin()
    pem = csr()
    asked(agent, pem)
    eventually(CertificateRequest.objects.exists)
    asked(agent, pem)
    eventually(lambda: bool(kept()) and kept()[0].times == 2)
    assert len(kept()) == 1


@pytest.mark.parametrize("pem", [b"junk", csr() + csr(), csr()[:200]])
def test_op_45_what_is_no_request_is_a_bad_request(agent: FakeAgent, pem: bytes) -> None:
    agent.begin()
    answer = asked(agent, pem)
    assert answer.error_response.type == pb.ServerErrorResponseType_BadRequest
    assert "request" in answer.error_response.error_message
    assert not agent.say().HasField("error_response")
    assert kept() == []


def test_op_45_a_request_that_is_refused_later_is_a_bad_request(agent: FakeAgent) -> None:
    agent.begin()
    asked(agent, csr())
    eventually(CertificateRequest.objects.exists)
    refuse_certificate(agent_id=row(agent).pk, text="Refused: not one of ours", by=SYSTEM)
    answer = agent.pushed()
    assert answer.error_response.error_message == "Refused: not one of ours"
    fields = {field.name for field, _ in answer.ListFields()}
    assert fields == {"instance_uid", "error_response"}


def test_op_45_a_flood_of_requests_is_bounded(agent: FakeAgent) -> None:
    agent.begin()
    for _ in range(10):
        assert not asked(agent, csr()).HasField("error_response")
    assert "an hour" in asked(agent, csr()).error_response.error_message


def test_op_46_a_request_that_names_this_agent_is_kept(agent: FakeAgent) -> None:
    agent.begin()
    answer = asked(agent, csr(uid=uuid.UUID(bytes=agent.uid)))
    assert not answer.HasField("error_response")
    eventually(CertificateRequest.objects.exists)


def test_op_46_a_request_that_names_another_agent_is_a_bad_request(agent: FakeAgent) -> None:
    agent.begin()
    other = uuid.uuid4()
    assert str(other) in asked(agent, csr(uid=other)).error_response.error_message


def test_op_46_after_a_rename_the_new_uid_counts(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    old = uuid.UUID(bytes=agent.uid)
    rename(agent_id=row(agent).pk, by=SYSTEM, reason="test")
    agent.uid = agent.pushed().agent_identification.new_instance_uid
    agent.say(**full_state())
    new = uuid.UUID(bytes=agent.uid)
    assert asked(agent, csr(uid=old)).HasField("error_response")
    assert not asked(agent, csr(uid=new)).HasField("error_response")
    eventually(lambda: [one.agent.instance_uid for one in kept()] == [new])
