"""An agent that leaves a config by itself is not offered it again; one that runs what it refused may
have it (OP-28)."""

from __future__ import annotations

from datetime import UTC, datetime

from agents.models import AgentEvent, AgentStatus, Delivery, Quarantine
from agents.opamp import bits
from agents.opamp import opamp_pb2 as pb
from tests.agents.gateway.fake_agent import FakeAgent, config_status, full_state, showing
from tests.agents.gateway.helpers import GOOD, OTHER, delivery, push, want, write_now
from tests.agents.gateway.test_remote_config import APPLIED, APPLYING, FAILED, offered
from tests.make.configs import make_body
from tests.make.waiting import eventually


def left_alone(agent: FakeAgent) -> tuple[str, str]:
    """Let an agent run a new config, then say that it runs the old one. Returns both hashes."""
    agent.begin()
    old = want(agent, text=OTHER)
    agent.pushed()
    agent.say(remote_config_status=config_status(old, APPLIED))
    new = want(agent, text=GOOD)
    agent.pushed()
    agent.say(remote_config_status=config_status(new, APPLIED))
    assert not offered(agent.say(remote_config_status=config_status(old, APPLIED)))
    return old, new


def kept() -> Quarantine:
    return eventually(Quarantine.objects.filter(lifted_at=None).first, "a quarantine")


def test_op_28_what_an_agent_left_by_itself_is_not_offered_again(agent: FakeAgent) -> None:
    old, new = left_alone(agent)
    found = kept()
    assert (found.config_hash, found.outcome) == (new, "fell_back")
    for _ in range(4):
        agent.close()
        agent.connect()
        again = full_state(remote_config_status=config_status(old, APPLIED))
        assert not offered(agent.say(seq=0, **again))
    assert AgentEvent.objects.filter(kind="fell_back").count() == 1


def test_op_28_an_agent_that_lost_its_storage_is_given_it_again(agent: FakeAgent) -> None:
    agent.begin()
    new = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(new, APPLIED))
    agent.close()
    agent.connect()
    assert offered(agent.say(seq=0, **full_state())) == new


def test_each_return_without_the_config_that_ran_is_counted(agent: FakeAgent) -> None:
    agent.begin()
    new = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(new, APPLIED))
    for times in (1, 2):
        agent.close()
        agent.connect()
        assert offered(agent.say(seq=0, **full_state())) == new
        agent.say(**full_state())  # said again, it is no news
        agent.say(remote_config_status=config_status(new, APPLIED))
        lost = AgentStatus.objects.filter(config_losses=times, config_lost_at__isnull=False)
        eventually(lost.exists, f"{times} losses")
    assert AgentEvent.objects.filter(kind="lost_config").count() == 2


def test_op_28_what_is_taken_back_by_an_operator_is_no_fall_back(agent: FakeAgent) -> None:
    agent.begin()
    for text in (OTHER, GOOD, OTHER):
        config_hash = want(agent, text=text)
        agent.pushed()
        agent.say(remote_config_status=config_status(config_hash, APPLIED))
    eventually(lambda: agent.gateway.server.gateway.flusher.unwritten == 0)
    assert not Quarantine.objects.exists()


def test_op_28_what_is_applied_after_the_way_back_began_is_no_fall_back(agent: FakeAgent) -> None:
    """An agent is in the middle of one config when the one before is wanted of it again."""
    agent.begin()
    old = want(agent, text=OTHER)
    agent.pushed()
    agent.say(remote_config_status=config_status(old, APPLIED))
    new = want(agent, text=GOOD)
    agent.pushed()
    agent.say(remote_config_status=config_status(new, APPLYING))
    want(agent, text=OTHER, topic="rollback:1")
    assert offered(agent.pushed()) == old

    agent.say(remote_config_status=config_status(new, APPLIED))
    agent.say(remote_config_status=config_status(old, APPLIED))

    back = Delivery.objects.filter(cause="rollback:1", state="applied")
    eventually(back.exists, "the way back to be confirmed")
    assert not Quarantine.objects.exists()
    assert not AgentEvent.objects.filter(kind="fell_back").exists()


def test_op_28_one_that_is_seen_running_what_it_refused_may_have_it(agent: FakeAgent) -> None:
    agent.begin()
    config_hash = want(agent)
    agent.pushed()
    agent.say(
        remote_config_status=config_status(config_hash, FAILED, "port in use"),
        health=pb.ComponentHealth(healthy=False, last_error="port in use"),
    )
    kept()
    agent.say(
        remote_config_status=config_status(config_hash, APPLIED), effective_config=showing(GOOD)
    )
    agent.say(health=pb.ComponentHealth(healthy=True))
    lifted = eventually(Quarantine.objects.exclude(lifted_at=None).first, "it to be lifted")
    assert (lifted.lifted_by, lifted.config_hash) == ("agent", config_hash)
    assert "seen running" in str(lifted.lift_reason)


def test_op_28_not_while_it_is_unhealthy_with_it(agent: FakeAgent) -> None:
    agent.begin()
    config_hash = want(agent)
    agent.pushed()
    agent.say(
        remote_config_status=config_status(config_hash, FAILED, "no"),
        health=pb.ComponentHealth(healthy=False, last_error="no"),
    )
    kept()
    agent.say(
        remote_config_status=config_status(config_hash, APPLIED), effective_config=showing(GOOD)
    )
    eventually(AgentStatus.objects.filter(config_status=APPLIED).exists, "what it shows is read")
    write_now(agent)
    assert Quarantine.objects.filter(lifted_at=None).exists()


def refused(agent: FakeAgent) -> str:
    """Let an agent run OTHER and refuse GOOD. Returns the hash of GOOD."""
    agent.begin(effective_config=showing(OTHER))
    old = want(agent, text=OTHER)
    agent.pushed()
    agent.say(remote_config_status=config_status(old, APPLIED))
    new = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(new, FAILED, "no such component"))
    kept()
    return new


def test_an_applied_after_a_refusal_is_believed_when_it_is_showing(agent: FakeAgent) -> None:
    """The timer of an earlier config makes a supervisor say it of one that it refused."""
    new = refused(agent)
    said = config_status(new, APPLIED)
    asked = agent.say(remote_config_status=said)
    assert asked.flags & bits.REPORT_FULL_STATE
    again = agent.say(**full_state(remote_config_status=said, effective_config=showing(OTHER)))
    assert not again.flags & bits.REPORT_FULL_STATE
    write_now(agent)
    found = AgentStatus.objects.get()
    assert (found.config_hash, found.config_status, found.running_hash) == (
        new,
        FAILED,
        make_body(OTHER),
    )
    assert kept().config_hash == new

    agent.say(effective_config=showing(GOOD))
    runs = AgentStatus.objects.filter(running_hash=new, config_status=APPLIED, config_error="")
    eventually(runs.exists, "it is believed")
    eventually(lambda: not Quarantine.objects.filter(lifted_at=None).exists(), "it may have it")


def test_an_applied_after_a_refusal_answers_what_was_sent_again(agent: FakeAgent) -> None:
    new = refused(agent)
    Quarantine.objects.update(lifted_at=datetime.now(UTC))
    push(agent, config_hash=new, topic="rollout:2")
    assert offered(agent.pushed()) == new
    agent.say(remote_config_status=config_status(new, APPLIED))
    assert delivery(agent, state="applied").cause == "rollout:2"


def test_a_refusal_said_again_is_no_second_one(agent: FakeAgent) -> None:
    new = refused(agent)
    agent.say(**full_state(remote_config_status=config_status(new, FAILED, "no such component")))
    write_now(agent)
    assert AgentEvent.objects.filter(kind="config_failed").count() == 1
