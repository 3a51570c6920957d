"""What a budget refused unread is asked for again, whatever the agent says or does not say next
(OP-14, OP-15)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.gateway.options import Limits
from agents.opamp import opamp_pb2 as pb
from agents.opamp.wire import encode
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent, description, full_state
from tests.agents.gateway.helpers import stored
from tests.agents.gateway.running import QUICK, Starter

FULL = pb.ServerToAgentFlags_ReportFullState
# Two at once, then nothing: `refill` stands for the time that passes.
TIGHT = Limits(messages_per_s=0.0001, messages_burst=2.0)
NO_SWEEP = replace(QUICK, sweep_s=60.0)


def lose_a_status(agent: FakeAgent) -> pb.ComponentHealth:
    """Say the first report, then statuses until one is over the budget; return that one."""
    agent.begin()
    for number in range(50):
        health = pb.ComponentHealth(healthy=False, last_error=f"said once, {number}")
        if is_refused(agent, agent.message(health=health)):
            return health
    raise AssertionError("nothing was refused")


def refill(agent: FakeAgent) -> None:
    """Fill the budgets of all connections of the agent's gateway."""
    gateway = agent.gateway.server.gateway

    async def fill() -> None:
        for connection in [*gateway.connections, *gateway.polls.values()]:
            connection.budget = TIGHT.messages_burst

    agent.gateway.run(fill())


def is_refused(agent: FakeAgent, message: pb.AgentToServer) -> bool:
    if agent.transport == "http":
        return agent.post(message.SerializeToString()).status_code == 429
    agent.ws.send(encode(message))
    return agent.receive().error_response.type == pb.ServerErrorResponseType_Unavailable


@pytest.mark.parametrize("is_bare", [True, False])
def test_op_15_a_status_over_the_budget_is_asked_for_with_the_next_answer(
    start_gateway: Starter, make_agent: MakeAgent, transport: str, is_bare: bool
) -> None:
    agent = make_agent(transport, at=start_gateway(limits=TIGHT, intervals=NO_SWEEP))
    lost = lose_a_status(agent)
    refill(agent)
    bare = pb.AgentToServer(instance_uid=agent.uid)
    answer = agent.exchange(bare) if is_bare else agent.say()
    assert answer.flags & FULL
    assert not agent.say(**full_state(health=lost)).flags
    stored(agent, health_error=lost.last_error)


def test_op_15_a_silent_agent_is_asked_for_a_status_over_the_budget(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    agent = make_agent("ws", at=start_gateway(limits=TIGHT))
    lost = lose_a_status(agent)
    refill(agent)
    asked = agent.receive()
    assert (asked.instance_uid, asked.flags) == (agent.uid, FULL)
    assert not agent.say(**full_state(health=lost)).flags
    stored(agent, health_error=lost.last_error)
    assert agent.hears_nothing(1.0)


def test_op_15_another_description_is_no_answer_to_what_was_not_asked_yet(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    agent = make_agent(transport, at=start_gateway(limits=TIGHT, intervals=NO_SWEEP))
    lose_a_status(agent)
    refill(agent)
    assert agent.say(agent_description=description(host_name="edge-2")).flags & FULL


def test_op_15_only_the_agent_that_was_refused_is_asked(
    start_gateway: Starter, make_agent: MakeAgent
) -> None:
    agent = make_agent("ws", at=start_gateway(limits=TIGHT, intervals=NO_SWEEP))
    agent.begin()
    other = make_agent("ws", at=agent.gateway)
    other.ws = agent.ws
    other.say(**full_state())
    refill(agent)
    while not is_refused(agent, agent.message()):
        pass
    refill(agent)
    assert not other.say().flags
    assert agent.say().flags & FULL


@pytest.mark.parametrize("is_heartbeat", [True, False])
def test_op_15_a_refused_message_that_comes_again_was_not_lost(
    start_gateway: Starter, make_agent: MakeAgent, transport: str, is_heartbeat: bool
) -> None:
    agent = make_agent(transport, at=start_gateway(limits=TIGHT, intervals=NO_SWEEP))
    agent.begin()
    health = None if is_heartbeat else pb.ComponentHealth(last_error="said twice")
    while not is_refused(agent, message := agent.message(health=health)):
        pass
    refill(agent)
    assert not agent.exchange(message).flags
    assert not agent.say().flags


def test_op_15_one_of_two_refused_messages_that_comes_again_is_not_all(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    agent = make_agent(transport, at=start_gateway(limits=TIGHT, intervals=NO_SWEEP))
    lose_a_status(agent)
    while not is_refused(agent, message := agent.message()):
        pass
    refill(agent)
    assert agent.exchange(message).flags & FULL
