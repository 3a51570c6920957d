from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.pages.rollbacks.recovery import recovery

AT = datetime(2026, 11, 23, 9, 44, tzinfo=UTC)


def after(*seconds: float) -> list[datetime]:
    return [AT + timedelta(seconds=s) for s in seconds]


def test_half_and_goal_are_the_moments_they_were_reached() -> None:
    found = recovery(AT, after(*range(1, 101)), 100, None)
    assert (found.half_s, found.goal_s, found.last_s) == (50, 99, 100)


def test_the_goal_is_not_reached_while_agents_are_missing() -> None:
    found = recovery(AT, after(1, 2, 3), 10, None)
    assert found.goal_s is None
    assert found.last_s is None


def test_agents_that_confirm_together_make_one_step() -> None:
    assert recovery(AT, after(2, 2, 5), 4, None).steps == [(2, 0.5), (5, 0.75)]


def test_nobody_to_come_back_is_no_division_by_nought() -> None:
    found = recovery(AT, [], 0, None)
    assert found.steps == []
    assert found.goal_s is None


def test_a_running_rollback_ends_its_axis_now() -> None:
    assert recovery(AT, after(1), 10, AT + timedelta(seconds=40)).end_s == 50


@given(st.lists(st.floats(0, 7200), max_size=50), st.integers(0, 60))
def test_the_curve_only_rises_and_never_passes_one(seconds: list[float], online: int) -> None:
    steps = recovery(AT, after(*seconds), online, None).steps
    shares = [share for _at, share in steps]
    assert shares == sorted(shares)
    assert all(0 < share <= 1 for share in shares)
