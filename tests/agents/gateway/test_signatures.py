"""Signatures of configs at the gateway: verified before the first delivery, sent beside the config."""

from __future__ import annotations

import json
from typing import Any

from agents.models import SigningKey
from agents.opamp import opamp_pb2 as pb
from agents.opamp.signed_config import CAPABILITY, TYPE
from console.lib import hints
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent
from tests.agents.gateway.helpers import GOOD, OTHER, push, want
from tests.agents.gateway.running import Starter
from tests.make.configs import make_body
from tests.make.signing import make_signed
from tests.make.times import NOW
from tests.make.waiting import eventually

ANNOUNCED = pb.CustomCapabilities(capabilities=[CAPABILITY])


def sees_no_config(agent: FakeAgent) -> bool:
    """Tell whether several answers in a row bring no config."""
    return not any(agent.say().HasField("remote_config") for _ in range(5))


def test_an_agent_that_announced_it_gets_the_signature_with_the_config(agent: FakeAgent) -> None:
    agent.begin(custom_capabilities=ANNOUNCED)
    signed = make_signed(make_body(GOOD))
    push(agent, config_hash=signed.body_id)
    answer = agent.pushed()
    assert answer.remote_config.config_hash.hex() == signed.body_id
    assert (answer.custom_message.capability, answer.custom_message.type) == (CAPABILITY, TYPE)
    assert json.loads(answer.custom_message.data) == signed.signed().document()


def test_an_agent_that_did_not_gets_the_config_alone(agent: FakeAgent) -> None:
    agent.begin()
    push(agent, config_hash=make_signed(make_body(GOOD)).body_id)
    answer = agent.pushed()
    assert answer.HasField("remote_config")
    assert not answer.HasField("custom_message")


def test_without_a_signature_the_config_is_sent_where_none_is_required(agent: FakeAgent) -> None:
    agent.begin(custom_capabilities=ANNOUNCED)
    want(agent)
    answer = agent.pushed()
    assert answer.HasField("remote_config")
    assert not answer.HasField("custom_message")


def test_a_signature_that_does_not_verify_keeps_its_config_back(agent: FakeAgent) -> None:
    agent.begin()
    other = make_signed(make_body(OTHER), version=2)
    wrong = make_signed(make_body(GOOD), signature=other.signature)
    push(agent, config_hash=wrong.body_id)
    assert sees_no_config(agent)
    push(agent, config_hash=other.body_id)
    assert agent.pushed().remote_config.config_hash.hex() == other.body_id


def test_sec_21_an_unsigned_config_is_not_sent_where_signatures_are_required(
    start_gateway: Starter, make_agent: MakeAgent, settings: Any, transport: str
) -> None:
    settings.CONFIG_SIGNING_REQUIRED = True
    agent = make_agent(transport, at=start_gateway())
    agent.begin()
    want(agent)
    assert sees_no_config(agent)
    signed = make_signed(make_body(OTHER))
    push(agent, config_hash=signed.body_id)
    assert agent.pushed().remote_config.config_hash.hex() == signed.body_id


def test_what_a_bad_key_signed_is_not_sent_from_memory(
    start_gateway: Starter, make_agent: MakeAgent, settings: Any
) -> None:
    settings.CONFIG_SIGNING_REQUIRED = True
    gateway = start_gateway()
    first, second = make_agent(at=gateway), make_agent(at=gateway)
    for agent in (first, second):
        agent.begin()
    signed = make_signed(make_body(GOOD))
    push(first, config_hash=signed.body_id)
    assert first.pushed().HasField("remote_config")

    SigningKey.objects.update(bad_at=NOW)
    hints.publish(hints.SIGNED)
    signatures = gateway.server.signatures
    eventually(lambda: not signatures.allows(signed.body_id), "the gateway to hear of it")
    push(second, config_hash=signed.body_id)
    assert sees_no_config(second)


def test_what_is_signed_again_is_allowed_by_a_gateway_that_saw_it_wrong(agent: FakeAgent) -> None:
    agent.begin()
    signed = make_signed(make_body(GOOD))
    right, signed.signature = signed.signature, "AAAA"
    signed.save()
    push(agent, config_hash=signed.body_id)
    assert sees_no_config(agent)
    signed.signature = right
    signed.save()
    hints.publish(hints.SIGNED)
    signatures = agent.gateway.server.signatures
    eventually(lambda: signatures.allows(signed.body_id), "the gateway to hear of it")
