from __future__ import annotations

import hashlib
from pathlib import Path

from agents.opamp import opamp_pb2 as pb
from agents.simulator import ledger
from agents.simulator.agent import Memory, SimulatedAgent
from agents.simulator.faults import Behaviour, Fault
from agents.simulator.profile import make_profile

EXAMPLES = Path(__file__).resolve().parents[3] / "console" / "demo" / "examples"
ONE = (EXAMPLES / "edge-v1.yaml").read_bytes()
TWO = (EXAMPLES / "edge-v2.yaml").read_bytes()
BAD = (EXAMPLES / "edge-v3-bad.yaml").read_bytes()


def simulated(*faults: Fault, after_s: float = 3.0, on: bytes = b"") -> SimulatedAgent:
    """Return an agent that applies after 1 s; its faults strike `after_s` later."""
    behaviour = Behaviour(
        apply_delay_s=(1.0, 1.0),
        shares=dict.fromkeys(faults, 1.0),
        after_s=dict.fromkeys(faults, after_s),
        faults_on=on,
    )
    return SimulatedAgent(make_profile(0, 1, 0.0), behaviour, Memory(), started_ns=1)


def offer(body: bytes) -> pb.ServerToAgent:
    message = pb.ServerToAgent()
    message.remote_config.config_hash = hashlib.sha256(body).digest()
    message.remote_config.config.config_map[""].body = body
    return message


def settle(agent: SimulatedAgent, body: bytes, at: float = 0.0) -> list[pb.AgentToServer]:
    return [*agent.receive(offer(body), at), *agent.due(at + 1.0)]


def statuses(messages: list[pb.AgentToServer]) -> list[int]:
    return [m.remote_config_status.status for m in messages if m.HasField("remote_config_status")]


def test_acknowledges_at_once_and_applies_after_its_delay() -> None:
    agent = simulated()
    assert statuses(agent.receive(offer(ONE), 10.0)) == [pb.RemoteConfigStatuses_APPLYING]
    assert agent.due(10.9) == []
    (applied,) = agent.due(11.0)
    assert applied.remote_config_status.status == pb.RemoteConfigStatuses_APPLIED
    assert applied.remote_config_status.last_remote_config_hash == hashlib.sha256(ONE).digest()
    assert applied.effective_config.config_map.config_map[""].body == ONE


def test_a_refused_config_leaves_the_old_one_running() -> None:
    agent = simulated()
    settle(agent, ONE)
    *_, failed = settle(agent, BAD, 5.0)
    assert failed.remote_config_status.status == pb.RemoteConfigStatuses_FAILED
    assert "unknown metrics level" in failed.remote_config_status.error_message
    assert agent.memory.running == hashlib.sha256(ONE).digest()


def test_says_nothing_when_offered_what_it_has_settled() -> None:
    agent = simulated()
    settle(agent, ONE)
    assert agent.receive(offer(ONE), 5.0) == []
    settle(agent, BAD, 6.0)
    assert agent.receive(offer(BAD), 9.0) == []


def test_going_back_after_a_refusal_is_applied_again() -> None:
    agent = simulated()
    settle(agent, ONE)
    settle(agent, BAD, 5.0)
    assert statuses(settle(agent, ONE, 9.0))[-1] == pb.RemoteConfigStatuses_APPLIED


def test_a_newer_offer_replaces_one_that_is_not_settled() -> None:
    agent = simulated()
    agent.receive(offer(ONE), 0.0)
    agent.receive(offer(TWO), 0.5)
    agent.due(1.5)
    assert agent.memory.history == [hashlib.sha256(TWO).digest()]


def test_a_repeated_offer_does_not_start_over() -> None:
    agent = simulated()
    agent.receive(offer(ONE), 0.0)
    assert agent.receive(offer(ONE), 0.9) == []
    assert statuses(agent.due(1.0)) == [pb.RemoteConfigStatuses_APPLIED]


def test_a_new_connection_says_only_who_it_is() -> None:
    agent = simulated()
    settle(agent, ONE)
    message = agent.hello(again=True)
    assert message.instance_uid == agent.profile.instance_uid
    assert not message.HasField("agent_description")
    assert not message.HasField("remote_config_status")


def test_tells_everything_when_asked() -> None:
    agent = simulated()
    settle(agent, ONE)
    (full,) = agent.receive(pb.ServerToAgent(flags=1), 5.0)
    labels = {
        a.key: a.value.string_value for a in full.agent_description.non_identifying_attributes
    }
    assert labels["env"] in {"canary", "staging", "prod"}
    assert full.remote_config_status.last_remote_config_hash == hashlib.sha256(ONE).digest()
    assert full.health.healthy
    assert full.available_components.hash


def test_lists_its_components_when_asked() -> None:
    (answer,) = simulated().receive(pb.ServerToAgent(flags=2), 0.0)
    receivers = answer.available_components.components["receivers"].sub_component_map
    assert "otlp" in receivers


def test_takes_a_new_uid() -> None:
    agent = simulated()
    message = pb.ServerToAgent()
    message.agent_identification.new_instance_uid = b"\7" * 16
    (full,) = agent.receive(message, 0.0)
    assert full.instance_uid == b"\7" * 16
    assert agent.heartbeat().instance_uid == b"\7" * 16


def test_sequence_numbers_go_up_by_one() -> None:
    agent = simulated()
    numbers = [agent.hello(again=False).sequence_num, *(m.sequence_num for m in settle(agent, ONE))]
    assert numbers == [1, 2, 3]


def test_one_that_refuses_by_script_still_goes_back() -> None:
    agent = simulated(Fault.FAIL)
    agent.memory.history = [hashlib.sha256(ONE).digest()]
    assert statuses(settle(agent, TWO))[-1] == pb.RemoteConfigStatuses_FAILED
    assert statuses(settle(agent, ONE, 5.0))[-1] == pb.RemoteConfigStatuses_APPLIED


def test_one_that_sickens_reports_it_after_applying() -> None:
    agent = simulated(Fault.SICK)
    settle(agent, ONE)
    assert agent.due(3.9) == []
    (sick,) = agent.due(4.0)
    assert not sick.health.healthy
    assert sick.health.last_error


def test_one_that_dies_says_nothing_more() -> None:
    agent = simulated(Fault.DEATH)
    assert agent.receive(offer(ONE), 0.0) == []
    assert agent.dead
    assert agent.receive(pb.ServerToAgent(flags=1), 1.0) == []


def test_the_ledger_brings_back_what_it_wrote(tmp_path: Path) -> None:
    agent = simulated()
    settle(agent, ONE)
    settle(agent, BAD, 5.0)
    ledger.save(tmp_path / "fleet.json", [agent], set())
    assert ledger.load(tmp_path / "fleet.json") == {agent.profile.instance_uid: agent.memory}


def test_a_ledger_that_was_cut_off_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "fleet.json").write_text('{"bodies": {')
    assert ledger.load(tmp_path / "fleet.json") == {}


def test_scripted_faults_meet_only_the_versions_they_are_meant_for() -> None:
    agent = simulated(Fault.FAIL, on=b"drill")
    assert statuses(settle(agent, ONE))[-1] == pb.RemoteConfigStatuses_APPLIED
    assert statuses(settle(agent, TWO + b"# drill\n", 5.0))[-1] == pb.RemoteConfigStatuses_FAILED
