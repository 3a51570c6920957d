"""Connection settings: OP-37 to OP-42, and what is not offered: OP-44 to OP-46, OP-48."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from accounts.actor import SYSTEM
from agents.actions.offer_settings import offer_settings
from agents.models import Agent, AgentStatus, DesiredSettings
from agents.opamp import bits
from agents.opamp import opamp_pb2 as pb
from agents.opamp.settings import CLASSES, settings_hash
from console.lib.problems import Invalid, Refused
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import SUPERVISOR, FakeAgent, full_state
from tests.agents.gateway.helpers import row, stored
from tests.agents.gateway.running import Starter
from tests.make.waiting import eventually

OPAMP = {
    "destination_endpoint": "ws://127.0.0.1:4320/v1/opamp",
    "headers": {"Authorization": "Bearer x", "X-Scope": "a"},
    "heartbeat_interval_seconds": 30,
}
METRICS = {"destination_endpoint": "https://otlp.example/v1/metrics"}
REPORTS = SUPERVISOR | bits.REPORTS_SETTINGS_STATUS | bits.ACCEPTS_OTHER_SETTINGS
STATUSES = (
    pb.ConnectionSettingsStatuses_APPLYING,
    pb.ConnectionSettingsStatuses_APPLIED,
    pb.ConnectionSettingsStatuses_FAILED,
)


def offer(agent: FakeAgent, **settings: object) -> str:
    return offer_settings(agent_ids=[row(agent).pk], settings=settings, by=SYSTEM)


def settings_status(
    offer_hash: str, status: pb.ConnectionSettingsStatuses
) -> pb.ConnectionSettingsStatus:
    return pb.ConnectionSettingsStatus(
        last_connection_settings_hash=bytes.fromhex(offer_hash), status=status
    )


@pytest.mark.parametrize("name", CLASSES)
def test_op_37_every_class_of_settings_is_in_the_hash(name: str) -> None:
    assert settings_hash({name: {"a": 1}}) != settings_hash({name: {"a": 2}})


def test_op_37_a_changed_heartbeat_alone_is_a_new_hash(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    offer(agent, opamp=OPAMP)
    first = agent.pushed().connection_settings
    offer(agent, opamp={**OPAMP, "heartbeat_interval_seconds": 60})
    second = agent.pushed().connection_settings
    assert first.hash != second.hash
    assert second.opamp.heartbeat_interval_seconds == 60


def test_op_37_the_reported_hash_decides_about_offering_again(
    make_agent: MakeAgent, transport: str
) -> None:
    agent = make_agent(transport, capabilities=REPORTS)
    agent.begin()
    offer(agent, opamp=OPAMP)
    offer_hash = agent.pushed().connection_settings.hash.hex()
    agent.close()
    agent.connect()
    assert agent.say(seq=0, **full_state()).connection_settings.hash.hex() == offer_hash
    applied = settings_status(offer_hash, pb.ConnectionSettingsStatuses_APPLIED)
    agent.say(connection_settings_status=applied)
    stored(agent, settings_hash=offer_hash, settings_status=1)
    agent.close()
    agent.connect()
    assert not agent.say(seq=0, **full_state()).HasField("connection_settings")


def test_op_38_an_opamp_offer_is_complete(make_agent: MakeAgent, transport: str) -> None:
    agent = make_agent(transport)
    agent.begin()
    offer(agent, opamp=OPAMP)
    opamp = agent.pushed().connection_settings.opamp
    assert opamp.destination_endpoint == OPAMP["destination_endpoint"]
    assert {h.key: h.value for h in opamp.headers.headers} == OPAMP["headers"]
    assert opamp.heartbeat_interval_seconds == 30


def test_op_38_incomplete_settings_are_refused(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    with pytest.raises(Invalid, match="heartbeat_interval_seconds"):
        offer(agent, opamp={"destination_endpoint": "ws://x/"})
    with pytest.raises(Invalid, match="destination_endpoint"):
        offer(agent, opamp={"heartbeat_interval_seconds": 30})
    with pytest.raises(Invalid, match="insecure_skip_verify"):
        offer(agent, opamp={**OPAMP, "tls": {"insecure_skip_verify": True}})


def test_op_38_all_own_telemetry_goes_in_one_offer(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    gateway = start_gateway(own_metrics_url=METRICS["destination_endpoint"])
    agent = make_agent("ws", at=gateway, capabilities=SUPERVISOR | bits.REPORTS_OWN_LOGS)
    agent.begin()
    offer(agent, own_logs={"destination_endpoint": "https://otlp.example/v1/logs"})
    offered = agent.pushed().connection_settings
    assert offered.own_metrics.destination_endpoint == METRICS["destination_endpoint"]
    assert offered.own_logs.destination_endpoint.endswith("/v1/logs")


@pytest.mark.parametrize("status", STATUSES)
def test_op_39_every_status_of_an_offer_is_kept(
    make_agent: MakeAgent, status: pb.ConnectionSettingsStatuses
) -> None:
    agent = make_agent("ws", capabilities=REPORTS)
    agent.begin()
    offer(agent, opamp=OPAMP)
    offer_hash = agent.pushed().connection_settings.hash.hex()
    agent.say(connection_settings_status=settings_status(offer_hash, status))
    assert stored(agent, settings_status=status).settings_offered_hash == offer_hash


def test_op_39_an_agent_that_keeps_nothing_is_not_offered_the_same_again(
    make_agent: MakeAgent, transport: str
) -> None:
    agent = make_agent(transport)
    agent.begin()
    offer(agent, opamp=OPAMP)
    agent.pushed()
    agent.close()
    eventually(AgentStatus.objects.exclude(settings_offered_hash="").exists)
    agent.connect()
    assert not agent.say(seq=0, **full_state()).HasField("connection_settings")


def test_op_40_own_metrics_are_offered_in_the_first_answer_and_once(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    gateway = start_gateway(own_metrics_url=METRICS["destination_endpoint"])
    agent = make_agent(transport, at=gateway)
    offered = agent.begin().connection_settings.own_metrics
    assert offered.destination_endpoint == METRICS["destination_endpoint"]
    assert not agent.say().HasField("connection_settings")


def test_op_41_the_same_settings_again_have_a_new_hash(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    assert offer(agent, opamp=OPAMP) != offer(agent, opamp=OPAMP)
    assert DesiredSettings.objects.count() == 1


def test_op_42_an_offer_without_heartbeats_is_refused(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    with pytest.raises(Invalid, match="0 would end heartbeats"):
        offer(agent, opamp={**OPAMP, "heartbeat_interval_seconds": 0})


def test_op_42_the_offered_interval_decides_about_silence(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    offer(agent, opamp={**OPAMP, "heartbeat_interval_seconds": 7})
    agent.pushed()
    server = agent.gateway.server
    [state] = server.gateway.registry.by_id.values()
    assert server.sweep.silence_s(state) == 21


def test_op_44_a_supervisor_is_never_offered_tls_without_a_certificate(
    make_agent: MakeAgent,
) -> None:
    agent = make_agent("ws")
    agent.begin()
    eventually(lambda: row(agent).kind == Agent.Kind.SUPERVISOR)
    with pytest.raises(Refused, match="Add the certificate"):
        offer(agent, opamp={**OPAMP, "destination_endpoint": "wss://gateway.example/v1/opamp"})


def test_op_44_a_certificate_given_by_an_operator_is_offered_as_it_is(
    make_agent: MakeAgent,
) -> None:
    agent = make_agent("ws")
    agent.begin()
    pem = {"cert": "CERT", "private_key": "KEY", "ca_cert": "CA"}
    offer(agent, opamp={**OPAMP, "certificate": pem})
    offered = agent.pushed().connection_settings.opamp.certificate
    assert (offered.cert, offered.private_key, offered.ca_cert) == (b"CERT", b"KEY", b"CA")


def csr(text: bytes) -> pb.ConnectionSettingsRequest:
    request = pb.OpAMPConnectionSettingsRequest(certificate_request=pb.CertificateRequest(csr=text))
    return pb.ConnectionSettingsRequest(opamp=request)


def test_op_45_a_certificate_request_that_cannot_be_served_is_a_bad_request(
    agent: FakeAgent,
) -> None:
    agent.begin()
    answer = agent.say(connection_settings_request=csr(b"-----BEGIN CERTIFICATE REQUEST-----"))
    assert answer.error_response.type == pb.ServerErrorResponseType_BadRequest
    assert not answer.HasField("connection_settings")


def test_op_45_an_empty_request_is_ignored(agent: FakeAgent) -> None:
    agent.begin()
    empty = agent.say(connection_settings_request=pb.ConnectionSettingsRequest())
    assert not empty.HasField("error_response")


def test_op_46_requests_are_not_announced_so_no_agent_sends_one(agent: FakeAgent) -> None:
    announced = agent.begin().capabilities
    assert not announced & pb.ServerCapabilities_AcceptsConnectionSettingsRequest


def test_op_48_without_a_credential_nobody_is_served_and_nothing_is_stored(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    agent = make_agent(transport, at=start_gateway(auth="token"))
    if transport == "ws":
        with pytest.raises(InvalidStatus) as refused:
            agent.connect()
        assert refused.value.response.status_code == 401
    else:
        found = agent.connect().post(agent.message(**full_state()).SerializeToString())
        assert (found.status_code, found.json()["code"]) == (401, "credential_missing")
    assert not Agent.objects.exists()
