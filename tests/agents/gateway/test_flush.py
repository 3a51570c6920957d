"""The flusher under load: what is marked while a flush is under way must be written too."""

from __future__ import annotations

from agents.gateway.flush import MAX_BATCH
from agents.opamp.state import AgentState
from tests.agents.gateway.helpers import eventually
from tests.agents.gateway.running import RunningGateway


def _changed(count: int, after: int = 0) -> list[AgentState]:
    agents = [AgentState(bytes(16), agent_id) for agent_id in range(after + 1, after + count + 1)]
    for agent in agents:
        agent.change().status = True
    return agents


def test_agents_marked_while_more_than_one_batch_is_written_are_written_as_well(
    gateway: RunningGateway,
) -> None:
    flusher = gateway.server.gateway.flusher
    count = 2 * MAX_BATCH + 1

    async def mark(agents: list[AgentState]) -> None:
        for agent in agents:
            flusher.mark(agent)

    gateway.run(mark(_changed(count)))
    eventually(lambda: flusher.unwritten < count, "a flush")
    gateway.run(mark(_changed(count, after=count)))

    eventually(lambda: flusher.unwritten == 0, "an empty flusher")
