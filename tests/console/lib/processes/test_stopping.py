from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from console.lib.processes import stopping


@pytest.fixture
def asked() -> Iterator[list[int]]:
    """The signals that the server's own handler got; everything is put back afterwards."""
    got: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, lambda received, _: got.append(received))
    yield got
    for number, handler in before.items():
        signal.signal(number, handler)
    stopping.stopping.clear()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noticed_and_passed_on(asked: list[int], number: signal.Signals) -> None:
    stopping.listen()
    signal.raise_signal(number)
    assert stopping.stopping.is_set()
    assert asked == [number]


def test_outside_the_main_thread_nothing_is_listened_to(asked: list[int]) -> None:
    thread = threading.Thread(target=stopping.listen)
    thread.start()
    thread.join(5)
    signal.raise_signal(signal.SIGTERM)
    assert not stopping.stopping.is_set()
    assert asked == [signal.SIGTERM]
