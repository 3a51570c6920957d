"""The flusher under load: what is marked while a flush is under way must be written too."""

from __future__ import annotations

import asyncio
import itertools
import uuid

import pytest

from agents.gateway.connections import Held
from agents.gateway.writing.flush import MAX_BATCH, Taken
from tests.agents.gateway.helpers import eventually
from tests.agents.gateway.running import RunningGateway


def _changed(count: int, after: int = 0) -> list[Held]:
    agents = [Held(bytes(16), i, uuid.uuid4()) for i in range(after + 1, after + count + 1)]
    for agent in agents:
        agent.change().status = True
    return agents


def test_agents_marked_while_more_than_one_batch_is_written_are_written_as_well(
    gateway: RunningGateway,
) -> None:
    flusher = gateway.server.gateway.flusher
    count = 2 * MAX_BATCH + 1

    async def mark(agents: list[Held]) -> None:
        for agent in agents:
            flusher.mark(agent)

    gateway.run(mark(_changed(count)))
    eventually(lambda: flusher.unwritten < count, "a flush")
    gateway.run(mark(_changed(count, after=count)))

    eventually(lambda: flusher.unwritten == 0, "an empty flusher")


def test_a_storm_that_outlasts_a_flush_is_no_lag_while_each_change_is_written_soon(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    flusher = gateway.server.gateway.flusher

    numbers = itertools.count(step=10)
    lags: list[float] = []

    def arrive() -> None:
        for agent in _changed(10, after=next(numbers)):
            flusher.mark(agent)
            flusher.open_session((uuid.uuid4(),))

    async def write(_taken: Taken) -> bool:
        # As many arrive as are written, so that some always wait.
        flusher._opened = []
        await asyncio.sleep(0.01)
        if len(lags) < 200:
            arrive()
        lags.append(flusher.lag_s)
        return True

    async def begin() -> None:
        arrive()
        arrive()

    monkeypatch.setattr("agents.gateway.writing.flush.MAX_BATCH", 10)
    monkeypatch.setattr(flusher, "_write", write)
    gateway.run(begin())
    eventually(lambda: len(lags) >= 200 and flusher.unwritten == 0, "an empty flusher", 20.0)
    assert sorted(lags)[len(lags) // 2] < 0.5


def test_lag_is_the_age_of_the_oldest_change_while_postgresql_is_away(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    flusher = gateway.server.gateway.flusher

    async def fail(taken: Taken) -> bool:
        flusher._put_back(taken, [], [])
        return False

    async def mark() -> None:
        for agent in _changed(3):
            flusher.mark(agent)

    monkeypatch.setattr(flusher, "_write", fail)
    gateway.run(mark())
    eventually(lambda: flusher.lag_s > 1.0, "a lag")
    monkeypatch.undo()
    eventually(lambda: flusher.lag_s == 0.0, "an empty flusher")
