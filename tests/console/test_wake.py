"""News of agents start a look at their rollout at once, and never more often than the pace."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from console.lib import hints
from console.wake import Waker

PACE_S = 0.2


class Listening:
    """A waker that runs; `sent` is what it would have sent to the workers, and when."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.sent: list[tuple[float, list[int]]] = []
        self.waker = Waker(url, lambda ids: self.sent.append((time.monotonic(), ids)), PACE_S)
        self.thread = threading.Thread(target=self.waker.run)
        self.thread.start()
        self.until(lambda: self.client.publish(hints.NEWS, "nobody:1") == 1)

    def until(self, done: Any, seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"it did not happen in time: {self.sent}"
            time.sleep(0.01)

    def say(self, topics: str) -> None:
        self.client.publish(hints.NEWS, topics)

    def close(self) -> None:
        self.waker.stop()
        self.say("")
        self.thread.join(10)
        self.client.close()


@pytest.fixture
def listening(settings: Any) -> Iterator[Listening]:
    found = Listening(settings.REDIS_URL)
    yield found
    found.close()


def test_a_hint_starts_a_look_at_the_rollouts_it_names(listening: Listening) -> None:
    listening.say("fleet rollback:9 rollout:42 rollout:7")
    listening.until(lambda: listening.sent)
    assert listening.sent[0][1] == [7, 42]


def test_many_hints_are_few_looks_and_the_last_one_is_not_lost(listening: Listening) -> None:
    for number in range(200):
        listening.say(f"rollout:{1 + number % 2}")
    listening.say("rollout:99")
    listening.until(lambda: any(99 in ids for _, ids in listening.sent))
    began = [at for at, _ in listening.sent]
    assert all(later - sooner >= PACE_S for sooner, later in itertools.pairwise(began))


def test_what_is_no_hint_of_ours_starts_nothing(listening: Listening) -> None:
    for text in ("", "rollout:", "rollout:x", "rollout:99999999999999999999", "xrollout:5"):
        listening.say(text)
    listening.say("rollout:3")
    listening.until(lambda: listening.sent)
    assert [ids for _, ids in listening.sent] == [[3]]


def test_it_listens_again_after_its_connection_was_cut(listening: Listening) -> None:
    """What is said while it connects anew may be lost: the clock's tick finds the same news."""
    listening.client.client_kill_filter(_type="pubsub")

    def heard() -> bool:
        listening.say("rollout:5")
        return bool(listening.sent)

    listening.until(heard, 30)
