from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.pages.rollouts.replay import steps
from console.pages.rollouts.replay.steps import Stop
from tests.make.times import NOW


def at(second: int) -> Stop:
    return Stop(NOW + timedelta(seconds=second), f"event {second}", "ok")


seconds = st.lists(st.integers(0, 10_000), max_size=60)


@given(seconds, seconds, st.integers(2, 40))
def test_stops_are_bounded_in_order_and_hold_the_first_and_last_event(
    loud: list[int], quiet: list[int], most: int
) -> None:
    events = [at(second) for second in sorted(loud)]
    found = steps.merged(events, [at(second).at for second in quiet], most)
    assert len(found) <= most
    assert [s.at for s in found] == sorted({s.at for s in found})
    assert bool(found) == bool(events)
    if events:
        shown = [step for step in found if step.says]
        assert (shown[0].at, shown[-1].at) == (events[0].at, events[-1].at)
        assert found[0].at == events[0].at


def test_events_of_one_moment_are_one_stop_that_says_both() -> None:
    [found] = steps.merged([Stop(NOW, "Canary passed.", "ok"), Stop(NOW, "Staging started.")], [])
    assert (found.says, found.token) == ("Canary passed. Staging started.", "ok")


def test_what_was_read_before_the_first_event_is_no_stop() -> None:
    found = steps.merged([at(10)], [at(5).at, at(10).at, at(15).at])
    assert [step.says for step in found] == ["event 10", ""]


def test_a_time_belongs_to_the_stop_before_it() -> None:
    stops = [at(0), at(10), at(20)]
    wanted = [(-5, 0), (0, 0), (9, 0), (10, 1), (99, 2)]
    for second, index in wanted:
        assert steps.at_or_before(stops, NOW + timedelta(seconds=second)) == index


def test_times_are_written_from_the_whole_millisecond_on() -> None:
    first = NOW + timedelta(microseconds=1500)
    stops = [Stop(first), Stop(first + timedelta(seconds=1))]
    assert steps.offsets(stops) == "2026-11-01T12:00:00.001Z 0.500 1000.500"
