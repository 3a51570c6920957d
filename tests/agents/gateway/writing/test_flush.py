"""The flusher under load: what is marked while a flush is under way must be written too."""

from __future__ import annotations

import asyncio
import itertools
import uuid

import pytest

from agents.gateway.connections import Held
from agents.gateway.metrics import Metrics
from agents.gateway.writing.flush import MAX_BATCH, Flusher
from agents.gateway.writing.rows import Row, Taken
from tests.agents.gateway.running import RunningGateway
from tests.agents.gateway.test_survival import cut_off
from tests.make.waiting import eventually


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


class _Busy:
    """A store that takes its time. As many agents come as it writes, so that some always wait."""

    def __init__(self) -> None:
        self.flusher = Flusher(self, Metrics(), 0.02)
        self.lags: list[float] = []
        self._numbers = itertools.count(step=10)

    def arrive(self) -> None:
        for agent in _changed(10, after=next(self._numbers)):
            self.flusher.mark(agent)
            self.flusher.open_session((uuid.uuid4(),))

    async def write(self, taken: Taken, opened: list[Row], closed: list[Row]) -> None:
        await asyncio.sleep(0.01)
        if len(self.lags) < 200:
            self.arrive()
        self.lags.append(self.flusher.lag_s)

    def give_up(self, taken: Taken, error: Exception) -> None:
        raise AssertionError("nothing was refused") from error


def test_a_storm_that_outlasts_a_flush_is_no_lag_while_each_change_is_written_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agents.gateway.writing.flush.MAX_BATCH", 10)

    async def storm() -> list[float]:
        store = _Busy()
        store.arrive()
        store.arrive()
        async with asyncio.timeout(60.0):
            assert await store.flusher.flush()
            while store.flusher.unwritten:
                assert await store.flusher.flush()
        return store.lags

    lags = asyncio.run(storm())
    assert len(lags) >= 200
    assert sorted(lags)[len(lags) // 2] < 0.5


def test_lag_is_the_age_of_the_oldest_change_while_postgresql_is_away(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    flusher = gateway.server.gateway.flusher

    async def mark() -> None:
        for agent in _changed(3):
            flusher.mark(agent)

    cut_off(gateway, monkeypatch)
    gateway.run(mark())
    eventually(lambda: flusher.lag_s > 1.0, "a lag")
    monkeypatch.undo()
    eventually(lambda: flusher.lag_s == 0.0, "an empty flusher")
