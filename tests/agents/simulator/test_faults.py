"""Each way to misbehave, as the agent's own messages show it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml

from agents.opamp import bits
from agents.opamp import opamp_pb2 as pb
from agents.simulator import ledger
from agents.simulator.agent import SimulatedAgent
from agents.simulator.effective import effective
from agents.simulator.faults import Fault
from tests.agents.simulator.test_agent import ONE, TWO, settle, simulated, statuses

APPLIED, APPLYING = pb.RemoteConfigStatuses_APPLIED, pb.RemoteConfigStatuses_APPLYING
FAILED = pb.RemoteConfigStatuses_FAILED
HASH_ONE, HASH_TWO = hashlib.sha256(ONE).digest(), hashlib.sha256(TWO).digest()


def running_one(*faults: Fault, after_s: float = 3.0) -> SimulatedAgent:
    """Return an agent that runs ONE well and meets its faults with anything else."""
    agent = simulated(*faults, after_s=after_s)
    agent.memory.history = [HASH_ONE]
    settle(agent, ONE, -10.0)
    return agent


def test_one_that_is_silent_goes_on_without_a_word_about_it() -> None:
    agent = running_one(Fault.SILENT)
    assert settle(agent, TWO) == []
    assert agent.memory.running == HASH_ONE
    assert agent.heartbeat().instance_uid == agent.uid
    assert not agent.dead


def test_one_that_falls_back_reports_the_old_one_by_itself() -> None:
    agent = running_one(Fault.FALL_BACK)
    assert statuses(settle(agent, TWO)) == [APPLYING, APPLIED]
    (back,) = agent.due(4.0)
    assert back.remote_config_status.status == APPLIED
    assert back.remote_config_status.last_remote_config_hash == HASH_ONE
    assert back.effective_config.config_map.config_map[""].body == ONE


def test_one_that_falls_back_does_so_again_when_offered_it_again() -> None:
    agent = running_one(Fault.FALL_BACK)
    settle(agent, TWO)
    agent.due(4.0)
    assert statuses(settle(agent, TWO, 10.0)) == [APPLYING, APPLIED]
    assert statuses(agent.due(14.0)) == [APPLIED]
    assert agent.memory.history == [HASH_ONE, HASH_ONE, HASH_TWO, HASH_ONE, HASH_TWO, HASH_ONE]


def test_one_that_vanishes_is_gone_after_it_applied() -> None:
    agent = running_one(Fault.VANISH)
    assert statuses(settle(agent, TWO))[-1] == APPLIED
    assert agent.due(4.0) == []
    assert agent.gone
    assert agent.receive(pb.ServerToAgent(flags=1), 5.0) == []


def test_one_that_flaps_is_unhealthy_and_healthy_by_turns() -> None:
    agent = running_one(Fault.FLAP)
    settle(agent, TWO)
    seen = [message.health.healthy for at in (4.0, 7.0, 10.0) for message in agent.due(at)]
    assert seen == [False, True, False]


def test_one_that_crashes_stays_down() -> None:
    agent = running_one(Fault.CRASH, after_s=20.0)
    settle(agent, TWO)
    assert agent.due(20.9) == []
    (down,) = agent.due(21.0)
    assert not down.health.healthy
    assert "exited unexpectedly" in down.health.last_error
    assert agent.due(60.0) == []


def test_going_back_heals() -> None:
    agent = running_one(Fault.CRASH)
    settle(agent, TWO)
    agent.due(4.0)
    (_, applied) = settle(agent, ONE, 10.0)
    assert applied.health.healthy
    assert applied.health.last_error == ""


def test_one_that_loses_its_storage_comes_back_knowing_no_configuration() -> None:
    agent = running_one(Fault.LOSE_STORAGE)
    settle(agent, TWO)
    assert agent.due(4.0) == []
    assert agent.reborn
    hello = agent.hello(again=True)
    assert hello.sequence_num == 1
    assert hello.instance_uid == agent.first_uid
    assert hello.remote_config_status.last_remote_config_hash == b""
    assert not hello.effective_config.config_map.config_map


def test_one_set_up_anew_has_another_uid_and_the_same_host() -> None:
    agent = running_one(Fault.RE_IMAGED)
    before = agent.profile
    settle(agent, TWO)
    agent.due(4.0)
    hello = agent.hello(again=True)
    assert hello.instance_uid != before.instance_uid
    labels = {
        a.key: a.value.string_value
        for part in ("identifying_attributes", "non_identifying_attributes")
        for a in getattr(hello.agent_description, part)
    }
    assert labels["host.name"] == before.attributes["host.name"]
    assert labels["service.instance.id"].replace("-", "") == hello.instance_uid.hex()


def test_one_set_up_anew_runs_well_afterwards() -> None:
    agent = running_one(Fault.RE_IMAGED)
    settle(agent, TWO)
    agent.due(4.0)
    agent.reborn = False
    assert statuses(settle(agent, TWO, 10.0))[-1] == APPLIED
    assert agent.due(100.0) == []


def test_a_wedged_one_refuses_what_it_ran_before() -> None:
    agent = running_one(Fault.WEDGED)
    assert statuses(settle(agent, TWO)) == [APPLYING, FAILED]
    assert statuses(settle(agent, ONE, 10.0)) == [APPLYING, FAILED]
    assert not agent.healthy


def test_one_with_the_effective_config_only_reports_no_status() -> None:
    agent = simulated(Fault.EFFECTIVE_ONLY)
    messages = settle(agent, ONE)
    assert statuses([*messages, agent.hello(again=False)]) == []
    assert not messages[0].capabilities & bits.REPORTS_REMOTE_CONFIG
    (applied,) = messages
    assert applied.effective_config.config_map.config_map[""].body == effective(ONE)


def test_the_effective_config_keeps_what_was_sent_and_adds_to_it() -> None:
    sent, made = yaml.safe_load(ONE), yaml.safe_load(effective(ONE))
    assert effective(ONE) != ONE
    assert set(sent["receivers"]) <= set(made["receivers"])
    assert made["service"]["pipelines"] == sent["service"]["pipelines"]
    assert "opamp" in made["extensions"]


def test_one_without_heartbeats_promises_none() -> None:
    agent = simulated(Fault.NO_HEARTBEAT)
    assert not agent.hello(again=False).capabilities & bits.REPORTS_HEARTBEAT
    assert not agent.beats


def test_the_ledger_remembers_what_went_wrong(tmp_path: Path) -> None:
    agent = running_one(Fault.RE_IMAGED)
    settle(agent, TWO)
    agent.due(4.0)
    agent.memory.wedged = True
    agent.memory.spoiled = [HASH_TWO]
    ledger.save(tmp_path / "fleet.json", [agent], set())
    assert ledger.load(tmp_path / "fleet.json") == {agent.first_uid: agent.memory}
